"""Payments streamed once, in order, each label known only after its delay; what comes out is a matrix of features."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from console.evaluate.account import Account
from console.evaluate.reading import Row
from pipeline.behaviour.features import FEATURES, INDEX
from pipeline.entities.place import NEUTRAL, NEVER, MaturedLabel, Place
from schemas.timestamps import MS_PER_HOUR

UNLABELLED: Final = -1
_MEMORY: Final = (0.0,)


@dataclass(frozen=True)
class Stream:
    """The scored payments, in the order in which they happened.

    `features`: float32, (payments, features); `at_ms`: int64; `account`: codes of int32; `label`: int8 (1 fraud,
    0 genuine, -1 unlabelled); `category`: the names that the feature of that name counts from 0.
    """

    features: npt.NDArray[np.float32]
    at_ms: npt.NDArray[np.int64]
    account: npt.NDArray[np.int32]
    label: npt.NDArray[np.int8]
    categories: tuple[str, ...]


def stream(rows: Iterable[Row], delay_ms: int) -> Stream:
    """Every payment's features as of just before it."""
    known: dict[str, Account] = {}
    places: dict[str, Place] = {}
    accounts: dict[str, int] = {}
    categories: dict[str, int] = {}
    features, at, account, labels = array("f"), array("q"), array("i"), array("b")
    unknown: list[tuple[int, str, MaturedLabel]] = []
    for moment in _moments(rows):
        # As in books, what comes in at a moment counts before what goes out: its order in a file tells nothing.
        for each in sorted([received for row in moment for received in row.received]):
            receiver = known.get(each.account)
            if receiver is None:
                receiver = known[each.account] = Account()
            receiver.learn(each)
        for payment, fraud, _ in moment:
            at_ms = payment.at_ms
            # Labels known at the same moment are taken in one order, whatever order their rows stood in.
            while unknown and unknown[0][0] <= at_ms:
                known_ms, name, matured = heappop(unknown)
                place = places.get(name)
                if place is None:
                    place = places[name] = Place()
                place.learn(matured, known_ms)
            paying = known.get(payment.account)
            if paying is None:
                paying = known[payment.account] = Account()
            own = paying.look(payment)
            place = places.get(payment.place)
            features.extend(
                (
                    float(payment.amount),
                    float(categories.setdefault(payment.category, len(categories))),
                    *own,
                    age := _age_hours(known.get(payment.payee), at_ms),
                    1.0 if age < 0 and payment.payee else 0.0,
                    *(NEUTRAL if place is None else place.look(at_ms)),
                    *_MEMORY,
                )
            )
            paying.learn(payment)
            at.append(at_ms)
            account.append(accounts.setdefault(payment.account, len(accounts)))
            labels.append(UNLABELLED if fraud is None else fraud)
            if payment.place and fraud is not None:
                heappush(unknown, (at_ms + delay_ms, payment.place, MaturedLabel(at_ms, bool(fraud), own[2])))
    matrix = _matrix(features)
    column = matrix[:, INDEX["category"]]
    column[:] = _ranks(categories)[column.astype(np.int64)]
    return Stream(
        matrix,
        _column(at, np.int64),
        _ranks(accounts)[_column(account, np.int32)],
        _column(labels, np.int8),
        tuple(sorted(categories)),
    )


def _moments(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows by their times, those of one time together."""
    for _, moment in groupby(rows, key=lambda row: row.payment.at_ms):
        yield list(moment)


def _ranks(codes: dict[str, int]) -> npt.NDArray[np.int32]:
    """By code, the place among the sorted names: what came first in a file shall not matter."""
    ranks = np.empty(len(codes), dtype=np.int32)
    ranks[[codes[name] for name in sorted(codes)]] = np.arange(len(codes), dtype=np.int32)
    return ranks


def _age_hours(payee: Account | None, at_ms: int) -> float:
    """How long the payee has had payments of its own, out or in; -1 if not before this moment, told in any order."""
    since_ms = payee.profile.since_ms if payee else -1
    return (at_ms - since_ms) / MS_PER_HOUR if 0 <= since_ms < at_ms else NEVER


def _matrix(values: "array[float]") -> npt.NDArray[np.float32]:
    return np.frombuffer(values, dtype=np.float32).reshape(-1, len(FEATURES)).copy()


def _column(values: "array[int]", kind: Any) -> Any:  # noqa: ANN401 - one of numpy's integer types, and its array
    return np.frombuffer(values, dtype=kind).copy()
