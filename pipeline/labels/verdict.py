"""What somebody said that a payment was, and from when on that counts."""

from typing import Final, NamedTuple

from pipeline.policy.labels import Labels
from schemas.disposition import Disposition, Label
from schemas.entity_risk import FULL_WEIGHT
from schemas.timestamps import parse_ms

LABELS: Final[tuple[Label, ...]] = ("inconclusive", "genuine", "fraud")
FRAUD: Final = LABELS.index("fraud")
GENUINE: Final = LABELS.index("genuine")


class Verdict(NamedTuple):
    """`label` is a place in LABELS, `weight` in hundredths; it counts from `matures_ms` on, epoch ms, as said then."""

    label: int
    weight: int
    said_ms: int
    matures_ms: int


# Of a payment that nobody has labelled.
NOTHING_SAID: Final = Verdict(0, 0, -1, 0)


def verdict_of(said: Disposition, known: Verdict, policy: Labels, arrival_ms: int) -> Verdict:
    """What holds of a payment from now on: the newest label, or what was known where that is newer.

    Of two labels of one moment the heavier holds, then fraud. One that is inconclusive withdraws what was said. To
    confirm what was said before does not begin its time anew.
    """
    said_ms = min(parse_ms(said.occurred_at), arrival_ms)
    label = LABELS.index(said.label)
    weight = FULL_WEIGHT if said.status == "final" else policy.provisional_pct
    delay_ms = policy.fraud_ms if label == FRAUD else policy.genuine_ms
    matures_ms = max(arrival_ms, said_ms + delay_ms)
    if label not in {FRAUD, GENUINE}:
        weight, matures_ms = 0, arrival_ms
    if (said_ms, weight, label) < (known.said_ms, known.weight, known.label):
        return known
    if label == known.label and weight and known.weight:
        matures_ms = min(matures_ms, known.matures_ms)
    return Verdict(label, weight, said_ms, matures_ms)
