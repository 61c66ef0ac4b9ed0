"""What was caught: what tierwatch said of each transaction, against what only the city knows."""

from collections import Counter
from typing import NamedTuple

from load_tests.city.event import Event, Truth


class Caught(NamedTuple):
    """One trick: its tries, in how many something was challenged, in how many alerted; its transactions likewise."""

    trick: str
    episodes: int
    challenged: int
    alerted: int
    transactions: int
    flagged: int


class Score:
    """Feed it what is published and what tierwatch says, in any order."""

    def __init__(self) -> None:
        self._truths: dict[str, Truth] = {}
        self._flagged: set[str] = set()
        self._alerted: dict[str, tuple[str, ...]] = {}

    def published(self, event: Event) -> None:
        """Note what a fraudster published."""
        if event.truth is not None:
            self._truths[event.transaction_id] = event.truth

    def truth(self, transaction_id: str) -> Truth | None:
        """Return what is known of a transaction; None for an honest one."""
        return self._truths.get(transaction_id)

    def flagged(self, transaction_id: str) -> None:
        """Note a decision that did not let the transaction pass."""
        self._flagged.add(transaction_id)

    def alerted(self, transaction_id: str, rules: tuple[str, ...]) -> None:
        """Note an alert and the rules that raised it."""
        self._alerted[transaction_id] = rules

    def tricks(self) -> list[Caught]:
        """Return the recall of each trick, by name."""
        transactions: dict[str, dict[str, int]] = {}
        for transaction_id, truth in self._truths.items():
            transactions.setdefault(truth.trick, {})[transaction_id] = truth.episode
        return [
            Caught(
                trick=trick,
                episodes=len(set(episodes.values())),
                challenged=len({episodes[each] for each in self._flagged & episodes.keys()}),
                alerted=len({episodes[each] for each in self._alerted.keys() & episodes.keys()}),
                transactions=len(episodes),
                flagged=len(self._flagged & episodes.keys()),
            )
            for trick, episodes in sorted(transactions.items())
        ]

    def rules(self) -> list[tuple[str, int, int]]:
        """Return rule, alerts it stands on, and how many of these were fraud: the precision of each rule."""
        alerts: Counter[str] = Counter()
        fraud: Counter[str] = Counter()
        for transaction_id, rules in self._alerted.items():
            for rule in set(rules):
                alerts[rule] += 1
                fraud[rule] += transaction_id in self._truths
        return [(rule, count, fraud[rule]) for rule, count in alerts.most_common()]

    def precision(self) -> tuple[int, int]:
        """Return how many alerts were raised, and how many of them were fraud."""
        return len(self._alerted), sum(transaction_id in self._truths for transaction_id in self._alerted)
