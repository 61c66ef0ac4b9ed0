"""What a model adds to judging: the same month judged without one, with one in shadow, and with one that is live."""

import numpy as np

from load_tests.alone import Alone
from load_tests.month import Month
from pipeline.behaviour.features import ELSEWHERE, INDEX
from pipeline.learned.model import Model
from pipeline.learned.onlooker import Onlooker
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.policy.rewrite import with_section
from pipeline.record import InputRecord

_BATCH = 1_500
_SECTION = "learned:\n  mode: {mode}\n  model: {model}\n  outcomes: {{review: 900}}\n"
_LARGE_MINOR = 15_000


def judged(transactions: int, seed: int, repeats: int) -> dict[str, float]:
    """Return CPU microseconds a payment of the fastest tenth of units, by mode; the runs take turns, the fastest count.

    The model was trained on the month's first third, where large payments are often said to be fraud.
    """
    month = Month(transactions, seed)
    grants, payments = list(month.grants()), list(month.payments())
    model = _trained(month.policy, [*grants, *payments[: transactions // 3]], seed)
    fastest: dict[str, float] = {}
    for _ in range(repeats):
        for mode in ("off", "shadow", "live"):
            section = _SECTION.format(mode=mode, model=model.card.sha256)
            alone = Alone(load_policy(with_section(month.policy_yaml, "learned", section, 2)))
            alone.books.models.told[model.card.sha256] = model
            alone.take(grants)
            _take(alone, payments[: transactions // 4])
            alone.restart_watch()
            _take(alone, payments[transactions // 4 :])
            each = sorted(alone.each_cpu_seconds)
            measured = round(each[len(each) // 10] * 1e6, 2)
            fastest[mode] = min(fastest.get(mode, measured), measured)
    return fastest


def _trained(policy: Policy, records: list[InputRecord], seed: int) -> Model:
    from pipeline.learned.boosted import train  # noqa: PLC0415 - LightGBM is an extra

    onlooker, alone = Onlooker(), Alone(policy)
    alone.show(onlooker)
    _take(alone, records)
    rows, chance = np.concatenate(onlooker.rows), np.random.default_rng(seed).random(len(onlooker.at_ms))
    fraud = chance < np.where(rows[:, INDEX["amount"]] > _LARGE_MINOR, 0.6, 0.004)
    at_ms = np.array(onlooker.at_ms, dtype=np.int64)
    return train(rows, fraud.astype(np.int8), at_ms, sorted(set(onlooker.categories)), sorted(ELSEWHERE))


def _take(alone: Alone, records: list[InputRecord]) -> None:
    for first in range(0, len(records), _BATCH):
        alone.take(records[first : first + _BATCH])
