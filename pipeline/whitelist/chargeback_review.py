"""Fraud found among the payments of whoever holds a tier: somebody looks at the grant."""

from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.whitelist.causes import LOOK_WITHIN_MS
from pipeline.whitelist.chargebacks import charged_back
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.outgoing import Outgoing, reviewed
from pipeline.whitelist.tiers import tier_named
from schemas.disposition import Disposition
from schemas.re_review import ReReview
from schemas.timestamps import format_ms


def ask_for_review(
    disposition: Disposition, before: Dossier, after: Dossier, policy: Policy, conduct: Conduct, arrival_ms: int
) -> tuple[Outgoing, ...]:
    """A request to look: at the first fraud since the grant, and when there is more in a year than its tier allows.

    No more than these, however many are found: who was asked to look sees the others. It demotes nobody by itself.
    """
    grant = after.grant
    if grant is None or _against(after, policy, arrival_ms) <= _against(before, policy, arrival_ms):
        return ()
    request = ReReview(
        request_id=derived_id(disposition.customer_id, disposition.disposition_id, "chargeback"),
        kind="request",
        customer_id=disposition.customer_id,
        tier=grant.tier,
        why="chargeback",
        check=("chargebacks",),
        requested_at=format_ms(arrival_ms),
        due_at=format_ms(arrival_ms + LOOK_WITHIN_MS),
        since_review=since_review(after, conduct, arrival_ms),
    )
    return (reviewed(request),)


def _against(dossier: Dossier, policy: Policy, at_ms: int) -> frozenset[str]:
    """What the labels known say against the grant, as far as it still runs."""
    grant = dossier.grant
    if grant is None or at_ms >= grant.grace_until_ms:
        return frozenset()
    tier = tier_named(policy, grant.tier)
    allowed = tier.criteria.chargebacks if tier is not None and tier.criteria is not None else None
    said = {
        "some since the grant": any(one.is_fraud and one.labelled_ms > grant.granted_ms for one in dossier.chargebacks),
        "more than allowed": allowed is not None and charged_back(dossier, at_ms) > allowed,
    }
    return frozenset(what for what, holds in said.items() if holds)
