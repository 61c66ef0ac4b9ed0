"""A place's labels: its running streak of frauds that nothing else explains, and its risk over 30 days."""

from typing import Final, NamedTuple

from pipeline.behaviour.baseline import SPIKE
from schemas.timestamps import MS_PER_DAY

RISK_DAYS: Final = 30
NEVER: Final = -1.0
NEUTRAL: Final = (0.0, 0.0, NEVER, NEVER, NEVER, 0.0, 0.0)


class MaturedLabel(NamedTuple):
    """A label that has become known: of a payment at `at_ms` here, `ratio` times what its customer usually pays."""

    at_ms: int
    ratio: float
    fraud: bool


class Place:
    """A compromised terminal defrauds everybody; a stolen card only its owner.

    So a fraud that is no spike of its customer's extends the streak, one that is says nothing about the place, and a
    payment that turned out to be genuine ends the streak.
    """

    __slots__ = ("began_ms", "cleared_ms", "days", "evidence", "smallest_ratio", "streak")

    def __init__(self) -> None:
        self.streak = 0
        self.evidence = 0.0
        self.smallest_ratio = NEVER
        self.began_ms = -1
        self.cleared_ms = -1
        # Labelled payments and frauds among them by day, the oldest first.
        self.days: list[list[int]] = []

    def look(self, at_ms: int) -> tuple[float, ...]:
        """Streak, its evidence, its smallest ratio, its age, days since a cleared payment, risk and labels of 30 days.

        Days are those since the payments, not since their labels; `NEVER` where there is none. The risk is the share of
        frauds, of which two payments without fraud are thought in addition.
        """
        oldest = at_ms // MS_PER_DAY - RISK_DAYS
        while self.days and self.days[0][0] <= oldest:
            del self.days[0]
        labelled = sum([day[1] for day in self.days])
        frauds = sum([day[2] for day in self.days])
        return (
            float(self.streak),
            self.evidence,
            self.smallest_ratio,
            NEVER if self.began_ms < 0 else (at_ms - self.began_ms) / MS_PER_DAY,
            NEVER if self.cleared_ms < 0 else (at_ms - self.cleared_ms) / MS_PER_DAY,
            frauds / (labelled + 2),
            float(labelled),
        )

    def learn(self, label: MaturedLabel) -> None:
        """Take a label in, when it becomes known."""
        self._count(label.at_ms // MS_PER_DAY, fraud=label.fraud)
        if not label.fraud:
            self.streak, self.evidence, self.smallest_ratio, self.began_ms = 0, 0.0, NEVER, -1
            self.cleared_ms = max(self.cleared_ms, label.at_ms)
        elif label.ratio < SPIKE:
            self.streak += 1
            # The smaller a payment, the less its own size explains why it was fraud.
            self.evidence += 1 - label.ratio / SPIKE
            self.smallest_ratio = label.ratio if self.streak == 1 else min(self.smallest_ratio, label.ratio)
            self.began_ms = label.at_ms if self.began_ms < 0 else min(self.began_ms, label.at_ms)

    def _count(self, day: int, *, fraud: bool) -> None:
        days = self.days
        index = len(days)
        while index and days[index - 1][0] > day:
            index -= 1
        if not index or days[index - 1][0] != day:
            days.insert(index, [day, 0, 0])
            index += 1
        days[index - 1][1] += 1
        days[index - 1][2] += fraud
