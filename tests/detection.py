"""A small labelled world for the tests of detection: cards, terminals, and three kinds of fraud, from a seed."""

from random import Random

from console.evaluate.reading import Row
from pipeline.behaviour.payment import Payment
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR
from schemas.transaction import TRANSACTION_TYPES

PURCHASE = TRANSACTION_TYPES.index("purchase")
CARDS = 60
TERMINALS = 25
DAYS = 60
# Ids are made anew from each seed, so nothing can be known by name.
_START_MS = 17_600 * MS_PER_DAY


def world(seed: int = 1, *, large: int = 30_000, times: int = 5) -> list[Row]:
    """Rows in the order of their times, many at the same one.

    Fraud are payments above `large`, all at a terminal that is compromised for three weeks, and a third of those of a
    card that is stolen for ten days, at so many `times` their usual size.
    """
    chance = Random(seed)
    means = [chance.uniform(500, 8_000) for _ in range(CARDS)]
    stolen = {card: chance.randrange(DAYS) for card in chance.sample(range(CARDS), CARDS // 2)}
    broken = {terminal: chance.randrange(DAYS) for terminal in chance.sample(range(TERMINALS), TERMINALS // 4)}
    hours = sorted(chance.randrange(DAYS * 24) for _ in range(CARDS * DAYS * 2))
    rows = []
    for hour in hours:
        card, terminal = chance.randrange(CARDS), chance.randrange(TERMINALS)
        amount = max(1, round(chance.gauss(means[card], means[card] / 3)))
        if chance.random() < 1 / 300:
            amount = large + chance.randrange(10_000)
        spends = 0 <= hour // 24 - stolen.get(card, DAYS) < 10 and chance.random() < 1 / 3
        amount *= times if spends else 1
        fraud = spends or amount >= large or 0 <= hour // 24 - broken.get(terminal, DAYS) < 21
        payment = Payment(
            f"card-{seed}-{card}",
            _START_MS + hour * MS_PER_HOUR,
            amount,
            PURCHASE,
            f"{5000 + terminal % 3}",
            f"terminal-{seed}-{terminal}",
            f"payee-{seed}-{chance.randrange(40)}",
        )
        rows.append(Row(payment, fraud, ()))
    return rows
