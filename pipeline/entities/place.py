"""A place's labels as a stream of them teaches: its running streak of frauds that nothing else explains, and its risk.

It tells what a ledger of the same labels would (`pipeline.entities.ledger`), at a fraction of the cost, and how usual
the amounts of a streak were.
"""

from collections import deque
from typing import Final, NamedTuple

from pipeline.behaviour.baseline import SPIKE
from pipeline.entities.ledger import MOST, WINDOW_MS
from schemas.timestamps import MS_PER_DAY

NEVER: Final = -1.0
NEUTRAL: Final = (0.0, 0.0, NEVER, NEVER, NEVER, 0.0, 0.0)


class MaturedLabel(NamedTuple):
    """A label that has become known: of a payment at `at_ms` here, `ratio` times what its customer usually pays."""

    at_ms: int
    fraud: bool
    ratio: float


class Place:
    """A compromised terminal defrauds everybody; a stolen card only its owner.

    So a fraud that is no spike of its customer's extends the streak, one that is says nothing about the place, and a
    payment that turned out to be genuine ends the streak.
    """

    __slots__ = ("_began_ms", "_cleared_ms", "_evidence", "_frauds", "_labels", "_smallest_ratio", "_streak")

    def __init__(self) -> None:
        self._labels: deque[MaturedLabel] = deque()
        self._frauds = 0
        self._cleared_ms = -1
        self._begin()

    def look(self, at_ms: int) -> tuple[float, ...]:
        """Streak, its evidence, smallest ratio and age, days since a cleared payment, risk and labels, all of 30 days.

        Days are those since the payments, not since their labels; `NEVER` where there is none. The risk is the share of
        frauds, of which two payments without fraud are thought in addition. Without fraud the place is neutral.
        """
        self._forget(at_ms)
        if not self._frauds:
            return NEUTRAL
        return (
            float(self._streak),
            self._evidence,
            self._smallest_ratio,
            NEVER if self._began_ms < 0 else (at_ms - self._began_ms) / MS_PER_DAY,
            NEVER if self._cleared_ms < 0 else (at_ms - self._cleared_ms) / MS_PER_DAY,
            self._frauds / (len(self._labels) + 2),
            float(len(self._labels)),
        )

    def learn(self, label: MaturedLabel, at_ms: int) -> None:
        """Take a label in, when it becomes known: they come in the order of their payments."""
        # What ends at this very moment still meets what begins.
        self._forget(at_ms - 1)
        self._labels.append(label)
        self._frauds += label.fraud
        self._go_on(label)
        self._forget(at_ms)
        if len(self._labels) > MOST:
            self._frauds -= self._labels.popleft().fraud
            self._tell_again(at_ms)

    def _begin(self) -> None:
        self._streak, self._evidence, self._smallest_ratio, self._began_ms = 0, 0.0, NEVER, -1

    def _go_on(self, label: MaturedLabel) -> None:
        if not label.fraud:
            self._begin()
            self._cleared_ms = label.at_ms
        elif label.ratio < SPIKE:
            self._streak += 1
            # The smaller a payment, the less its own size explains why it was fraud.
            self._evidence += 1 - label.ratio / SPIKE
            self._smallest_ratio = label.ratio if self._streak == 1 else min(self._smallest_ratio, label.ratio)
            if self._began_ms < 0:
                self._began_ms = label.at_ms

    def _forget(self, at_ms: int) -> None:
        labels, oldest_ms = self._labels, at_ms - WINDOW_MS
        if not labels or labels[0].at_ms > oldest_ms:
            return
        while labels and labels[0].at_ms <= oldest_ms:
            self._frauds -= labels.popleft().fraud
        self._tell_again(at_ms)

    def _tell_again(self, at_ms: int) -> None:
        """From what is left; a streak that goes on began when it began, which is older."""
        began_ms = self._began_ms
        self._begin()
        self._cleared_ms = -1
        for each in self._labels:
            self._go_on(each)
        if self._streak and self._cleared_ms < 0 and 0 <= began_ms <= at_ms - WINDOW_MS:
            self._began_ms = began_ms
