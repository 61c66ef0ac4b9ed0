"""What is known of one entity: the labels of payments that went through it, and what those that have matured say."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pipeline.labels.verdict import FRAUD, LABELS
from schemas.entity_label import EntityLabel
from schemas.entity_risk import FULL_WEIGHT
from schemas.timestamps import MS_PER_DAY, parse_ms

WINDOW_MS: Final = 30 * MS_PER_DAY
# So many of the newest payments are remembered: enough for a share, whatever passes through a large merchant.
MOST: Final = 200


class Labelled(NamedTuple):
    """One payment: digests of it and of its customer, when it occurred, its label (a place in LABELS) and weight.

    The label counts from `matures_ms` on. A `spike` is explained by its customer's own habits.
    """

    payment: bytes
    customer: bytes
    paid_ms: int
    label: int
    weight: int
    matures_ms: int
    spike: bool = False


class Finding(NamedTuple):
    """What matured labels of the last 30 days say, weights in hundredths; `until_ms` the last fraud leaves them.

    The running streak: frauds that no spike explains, since `began_ms`, none of them before the last genuine payment at
    `cleared_ms`; -1 for never.
    """

    frauds: int = 0
    labelled: int = 0
    customers: int = 0
    until_ms: int = 0
    streak: int = 0
    began_ms: int = -1
    cleared_ms: int = -1

    @property
    def is_neutral(self) -> bool:
        """Whether nothing speaks against the entity."""
        return self.frauds == 0


NEUTRAL: Final = Finding()


class Ledger(NamedTuple):
    """An entity's labels, the payments in the order in which they occurred, as they were looked at last.

    `told` is what every worker was told of them, and `looked_ms` when: epoch ms.
    """

    labels: tuple[Labelled, ...] = ()
    told: Finding = NEUTRAL
    looked_ms: int = 0


EMPTY: Final = Ledger()


def learn(ledger: Ledger, said: EntityLabel) -> Ledger:
    """The newest label of its payment; one without weight withdraws what was said before."""
    payment = bytes.fromhex(said.payment)
    labels = [each for each in ledger.labels if each.payment != payment]
    if said.weight:
        labels.append(
            Labelled(
                payment,
                bytes.fromhex(said.customer),
                parse_ms(said.paid_at),
                LABELS.index(said.label),
                said.weight,
                parse_ms(said.matures_at),
                said.spike,
            )
        )
        labels.sort(key=lambda each: (each.paid_ms, each.payment))
    return ledger._replace(labels=tuple(labels[-MOST:]))


def look(ledger: Ledger, at_ms: int) -> Ledger:
    """As of a moment: payments of more than 30 days ago are forgotten, and the finding is what is to be told now."""
    kept = tuple(each for each in ledger.labels if each.paid_ms > at_ms - WINDOW_MS)
    counts = [each for each in kept if each.matures_ms <= at_ms]
    frauds = [each for each in counts if each.label == FRAUD]
    if not frauds:
        return Ledger(kept, NEUTRAL, at_ms)
    found = Finding(
        sum(each.weight for each in frauds),
        sum(each.weight for each in counts),
        len({each.customer for each in frauds}),
        frauds[-1].paid_ms + WINDOW_MS,
        *_streak(counts),
    )
    before_ms = ledger.told.began_ms
    if found.streak and found.cleared_ms < 0 and 0 <= before_ms <= at_ms - WINDOW_MS:
        # It goes on, and began with a payment that is forgotten by now: how old it is tells when it may be over.
        found = found._replace(began_ms=before_ms)
    return Ledger(kept, found, at_ms)


def _streak(labels: Iterable[Labelled]) -> tuple[int, int, int]:
    """Weight, beginning and last genuine payment; of a moment's payments those that are genuine come first."""
    streak, began_ms, cleared_ms = 0, -1, -1
    for each in sorted(labels, key=lambda each: (each.paid_ms, each.label)):
        if each.label == FRAUD:
            if not each.spike:
                streak += each.weight
                began_ms = each.paid_ms if began_ms < 0 else began_ms
        elif each.weight == FULL_WEIGHT:
            streak, began_ms, cleared_ms = 0, -1, each.paid_ms
    return streak, began_ms, cleared_ms


def matured(ledger: Ledger, at_ms: int) -> list[Labelled]:
    """The labels that began to count since somebody last looked."""
    return [each for each in ledger.labels if ledger.looked_ms < each.matures_ms <= at_ms]


def next_ms(ledger: Ledger) -> int | None:
    """When somebody must look again: a label matures or a payment has left the 30 days; None for never."""
    moments = [each.matures_ms for each in ledger.labels if each.matures_ms > ledger.looked_ms]
    moments += [each.paid_ms + WINDOW_MS for each in ledger.labels]
    return min(moments, default=None)
