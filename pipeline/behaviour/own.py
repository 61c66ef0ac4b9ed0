"""The features that a customer's own past gives, in the order in which `features` names them."""

from pipeline.behaviour import recent as recently
from pipeline.behaviour.profile import Profile, hour_of
from pipeline.behaviour.recent import Recent
from pipeline.first_seen import FirstSeen
from schemas.timestamps import MS_PER_DAY


def own_features(  # noqa: PLR0917 - what is known, and what is asked about it
    profile: Profile,
    recent: Recent,
    payees: FirstSeen,
    at_ms: int,
    amount: int,
    kind: int,
    category: str,
    payee: str,
) -> tuple[float, ...]:
    """The features from `history` to `new_payees_24h`, of what was known before this payment; `period` is 0."""
    baseline, hour = profile.baseline, hour_of(at_ms)
    return (
        float(baseline.count),
        baseline.mean,
        baseline.ratio(amount),
        baseline.z(amount),
        *profile.spikes.look(at_ms),
        *recently.look(recent, at_ms),
        float(hour),
        profile.rhythm.share(hour),
        0.0,
        *profile.categories.look(category, amount),
        *profile.receipts.look(at_ms, amount, kind),
        1.0 if payee and payees.is_new(payee, at_ms, 0) else 0.0,
        float(payees.new_since(at_ms - MS_PER_DAY, at_ms)),
    )
