"""What is trained on and what is tested: folds of three weeks, or one split. Labels count once they are visible."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.exit_codes import Exit
from console.errors import CommandError
from console.evaluate.stream import Stream
from schemas.timestamps import MS_PER_DAY, from_datetime

Mask = npt.NDArray[np.bool_]
PROTOCOLS = {
    "A": ("2018-07-25",),
    "B": ("2018-07-25", "2018-08-01", "2018-08-08", "2018-08-15"),
}
_WEEK_MS = 7 * MS_PER_DAY


class Trial(NamedTuple):
    """One fold: payments before `past` are known, labels of `visible` ones, and `tested` ones are scored."""

    name: str
    past: int
    visible: Mask
    tested: Mask


def folds(stream: Stream, starts: Sequence[str], delay_ms: int, *, week: bool) -> list[Trial]:
    """One trial per start of training: a week of it, a week of delay, a week of test, as the Handbook has it."""
    return [_fold(stream, start, delay_ms, week=week) for start in starts]


def split(stream: Stream, where: str, delay_ms: int, *, week: bool) -> Trial:
    """One trial: what is before `rows=SHARE`, `time=SHARE` or a date is known, what follows is tested."""
    at_ms = stream.at_ms
    kind, _, share = where.partition("=")
    try:
        if kind == "rows":
            past = int(len(at_ms) * _share(share))
        elif kind == "time":
            past = int(np.searchsorted(at_ms, at_ms[0] + _share(share) * (at_ms[-1] - at_ms[0])))
        else:
            past = int(np.searchsorted(at_ms, _day_ms(where)))
    except ValueError:
        raise CommandError(
            f"--split {where}: neither rows=0.67, time=0.67 nor a date", "For example --split time=0.67.", Exit.SETTINGS
        ) from None
    known_ms = int(at_ms[min(past, len(at_ms) - 1)])
    visible = (stream.label >= 0) & (at_ms + delay_ms <= known_ms)
    visible[past:] = False
    if week:
        visible &= at_ms + delay_ms > known_ms - _WEEK_MS
    tested = stream.label >= 0
    tested[:past] = False
    return _usable(Trial(where, past, visible, tested), stream)


def everything(stream: Stream) -> Trial:
    """All payments tested from the first one on, with nothing known: for points that count on."""
    tested = stream.label >= 0
    return _usable(Trial("all", 0, np.zeros_like(tested), tested), stream, trained=False)


def _fold(stream: Stream, start: str, delay_ms: int, *, week: bool) -> Trial:
    try:
        begin = _day_ms(start)
    except ValueError:
        raise CommandError(f"--folds {start}: not a date", "For example --folds 2018-07-25.", Exit.SETTINGS) from None
    at_ms, labelled = stream.at_ms, stream.label >= 0
    trained, test = begin + _WEEK_MS, begin + 2 * _WEEK_MS
    visible = labelled & (at_ms < trained) & (at_ms + delay_ms <= test)
    if week:
        visible &= at_ms >= begin
    # A card that is known to be compromised before the day is blocked already: finding it again would be no merit.
    known_from = np.full(int(stream.account.max()) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    compromised = (stream.label == 1) & (at_ms >= begin)
    np.minimum.at(known_from, stream.account[compromised], at_ms[compromised] + delay_ms)
    unknown = known_from[stream.account] > at_ms // MS_PER_DAY * MS_PER_DAY
    tested = labelled & unknown & (at_ms >= test) & (at_ms < test + _WEEK_MS)
    return _usable(Trial(start, int(np.searchsorted(at_ms, trained)), visible, tested), stream)


def _usable(trial: Trial, stream: Stream, *, trained: bool = True) -> Trial:
    for what, mask in (("train", trial.visible), ("test", trial.tested)):
        if (trained or what == "test") and not (stream.label[mask] == 1).any():
            raise CommandError(
                f"{trial.name}: no labelled fraud to {what} on",
                "Choose other dates, another share, or a shorter --delay-days.",
            )
    return trial


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share < 1:
        raise ValueError(text)
    return share


def _day_ms(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))
