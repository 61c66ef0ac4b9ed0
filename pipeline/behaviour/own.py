"""The features that a customer's own past gives, in the order in which `features` names them."""

from pipeline.behaviour import recent as recently
from pipeline.behaviour.profile import Profile, hour_of
from pipeline.first_seen import FirstSeen
from pipeline.log import Entry
from schemas.timestamps import MS_PER_DAY


def own_features(  # noqa: PLR0917 - what is known, and what is asked about it
    profile: Profile,
    entries: list[Entry],
    payees: FirstSeen,
    at_ms: int,
    amount: int,
    kind: int,
    category: str,
    payee: str,
) -> list[float]:
    """The features from `history` to `new_payees_24h`, of what was known before this payment; `period` is 0.

    `entries` are the newest of the log at least, in the order of arrival.
    """
    baseline, hour = profile.baseline, hour_of(at_ms)
    spikes = profile.spikes.look(at_ms)
    recent = recently.look(entries, at_ms)
    in_category = profile.categories.look(category, amount)
    received = profile.receipts.look(at_ms, amount, kind)
    # Compiled, to name each is several times faster than to unpack one into another.
    return [
        float(baseline.count),
        baseline.mean,
        baseline.ratio(amount),
        baseline.z(amount),
        spikes[0],
        spikes[1],
        spikes[2],
        spikes[3],
        recent[0],
        recent[1],
        recent[2],
        recent[3],
        float(hour),
        profile.rhythm.share(hour),
        0.0,
        in_category[0],
        in_category[1],
        received[0],
        received[1],
        received[2],
        received[3],
        1.0 if payee and payees.is_new(payee, at_ms, 0) else 0.0,
        float(payees.new_since(at_ms - MS_PER_DAY, at_ms)),
    ]
