"""Labelled card payments of a made-up city, in the Handbook's format: what is fraud, and how, differs with each seed.

The Handbook's simulator in a few lines: cards near terminals, and three kinds of fraud. Its constants are drawn anew,
so whatever finds as much in these as in the Handbook's own has not learned that by heart.
"""

import csv
import gzip
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

_DAYS: Final = 183
_BEGAN: Final = np.datetime64("2018-04-01T00:00:00")
_DAY_S: Final = 86_400
# Terminals for each card, on a square of so many miles.
_TERMINALS_EACH: Final = 2
_SIDE: Final = 100.0
_COLUMNS: Final = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_TIME_SECONDS",
    "TX_TIME_DAYS", "TX_FRAUD", "TX_FRAUD_SCENARIO")  # fmt: skip
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Constants(NamedTuple):
    """What the seed decides: amounts in the file's currency, shares and chances as parts of 1.

    Cards pay `unit` times 5 to 100 on average; every payment above `large` is fraud, all at a compromised terminal for
    `terminal_days`, and a `stolen_share` of a stolen card's for `stolen_days`, then `stolen_times` as large. Of 10,000
    terminals and of 5,000 cards so many more fall into wrong hands each day.
    """

    unit: float
    large: float
    terminals_a_day: float
    terminal_days: int
    cards_a_day: float
    stolen_days: int
    stolen_share: float
    stolen_times: float
    noon_s: int


def constants(seed: int) -> Constants:
    """The constants of this seed."""
    chance = np.random.default_rng(seed)
    unit = float(chance.uniform(0.4, 4.0))
    return Constants(
        unit=unit,
        large=unit * float(chance.uniform(190.0, 230.0)),
        terminals_a_day=float(chance.uniform(1.5, 3.0)),
        terminal_days=int(chance.integers(18, 40)),
        cards_a_day=float(chance.uniform(2.0, 4.5)),
        stolen_days=int(chance.integers(9, 20)),
        stolen_share=float(chance.uniform(0.25, 0.5)),
        stolen_times=float(chance.uniform(3.5, 7.0)),
        noon_s=int(chance.integers(9, 19)) * 3_600,
    )


class Payments(NamedTuple):
    """By their times: seconds since the beginning, card, terminal, amount, and the kind of fraud, 0 for none."""

    at_s: Ints
    card: Ints
    terminal: Ints
    amount: Floats
    fraud: Ints


def payments(of: Constants, cards: int, seed: int) -> Payments:
    """Half a year of so many cards."""
    chance = np.random.default_rng([seed, cards])
    terminals = _TERMINALS_EACH * cards
    where = chance.uniform(0, _SIDE, (terminals, 2))
    # As many terminals within reach of each card as the Handbook has, however many there are.
    reach = 5.0 * (10_000 / terminals) ** 0.5
    found = [_of_card(card, of, where, reach, chance) for card in range(cards)]
    at_s, card, terminal, amount = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(at_s, kind="stable")
    whole = Payments(at_s[order], card[order], terminal[order], amount[order], np.zeros(len(order), dtype=np.int64))
    return _defrauded(whole, of, cards, chance)


def _of_card(card: int, of: Constants, where: Floats, reach: float, chance: np.random.Generator) -> tuple[Any, ...]:
    mean = of.unit * chance.uniform(5.0, 100.0)
    near = np.flatnonzero(((where - chance.uniform(0, _SIDE, 2)) ** 2).sum(axis=1) < reach**2)
    day = np.repeat(np.arange(_DAYS), chance.poisson(chance.uniform(0.0, 4.0), _DAYS))
    second = chance.normal(of.noon_s, 20_000, len(day)).astype(np.int64)
    kept = (second > 0) & (second < _DAY_S) & (len(near) > 0)
    day, second = day[kept], second[kept]
    amount = chance.normal(mean, mean / 2, len(day))
    amount = np.where(amount < 0, chance.uniform(0, 2 * mean, len(day)), amount)
    terminal = chance.choice(near, len(day)) if len(day) else day
    return day * _DAY_S + second, np.full(len(day), card), terminal, np.round(amount, 2)


def _defrauded(told: Payments, of: Constants, cards: int, chance: np.random.Generator) -> Payments:
    """The same payments after fraud: the three kinds one after the other, as the Handbook does it."""
    day = told.at_s // _DAY_S
    fraud, amount = told.fraud.copy(), told.amount.copy()
    fraud[amount > of.large] = 1
    terminals = _TERMINALS_EACH * cards
    compromised = _fallen(terminals, of.terminals_a_day * terminals / 10_000, chance)
    for since, terminal in compromised:
        fraud[(told.terminal == terminal) & (day >= since) & (day < since + of.terminal_days)] = 2
    for since, card in _fallen(cards, of.cards_a_day * cards / 5_000, chance):
        own = np.flatnonzero((told.card == card) & (day >= since) & (day < since + of.stolen_days))
        taken = own[chance.random(len(own)) < of.stolen_share]
        amount[taken] = np.round(amount[taken] * of.stolen_times, 2)
        fraud[taken] = 3
    return told._replace(amount=amount, fraud=fraud)


def _fallen(many: int, a_day: float, chance: np.random.Generator) -> list[tuple[int, int]]:
    """By day, those of `many` that fall into wrong hands."""
    return [(day, int(each)) for day in range(_DAYS) for each in chance.choice(many, chance.poisson(a_day))]


def write(target: Path, cards: int, seed: int) -> dict[str, float]:
    """Write them as CSV, gzipped. Returns how many payments and frauds there are, and the constants."""
    of = constants(seed)
    told = payments(of, cards, seed)
    times = np.datetime_as_string(_BEGAN + told.at_s.astype("timedelta64[s]"))
    with gzip.open(target, "wt", newline="", compresslevel=1) as out:
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for number, (at_s, card, terminal, amount, fraud) in enumerate(
            zip(*[column.tolist() for column in told], strict=True)
        ):
            at = times[number].replace("T", " ")
            writer.writerow((number, at, card, terminal, amount, at_s, at_s // _DAY_S, int(fraud > 0), fraud))
    return {"payments": len(told.at_s), "frauds": int((told.fraud > 0).sum()), **of._asdict()}
