"""The review clock: what a grant announces as time passes, each step once, however often or seldom anybody looks.

The clock changes no tier: `tier_at` lets a grant end by itself, and a tick only says so.
"""

from bisect import bisect_right
from dataclasses import replace
from typing import NamedTuple

from pipeline.ids import derived_id
from pipeline.policy.model import Policy, ReviewTerms
from pipeline.whitelist.dossier import Dossier, Evidence, Grant
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.outgoing import Outgoing, action, audited, entitled, reviewed
from schemas.account_action import AccountAction
from schemas.audit import AuditEntry
from schemas.re_review import ReReview
from schemas.timestamps import format_ms

# The actor of what nobody did.
CLOCK = "review_clock"


class Announced(NamedTuple):
    """What a tick says, and the dossier that remembers that it was said."""

    dossier: Dossier
    outgoing: tuple[Outgoing, ...]


def schedule(granted_ms: int, review_ms: int, expires_ms: int, terms: ReviewTerms) -> tuple[int, ...]:
    """The steps of a grant's review clock: the request, the reminders between it and the end, the end; rising.

    The end is the review's grace over, or the expiry where that is sooner.
    """
    end = min(expires_ms, review_ms + terms.grace_ms)
    request = max(granted_ms, review_ms - terms.notice_ms)
    reminders = {review_ms + offset for offset in terms.remind_ms}
    return (request, *sorted(moment for moment in reminders if request < moment < end), end)


def due(dossier: Dossier) -> int | None:
    """The next moment at which something must be announced, None when nothing is ahead."""
    grant = dossier.grant
    return grant.steps[dossier.announced] if grant is not None and dossier.announced < len(grant.steps) else None


def announce(customer_id: str, dossier: Dossier, clock_ms: int, policy: Policy) -> Announced:
    """Say what has come due by `clock_ms` and was not said before.

    A late look makes up for what it missed without a flood: the request, then the newest reminder only, then the end.
    """
    grant = dossier.grant
    if grant is None:
        return Announced(dossier, ())
    first, last = dossier.announced, len(grant.steps) - 1
    reached = bisect_right(grant.steps, clock_ms)
    if reached <= first:
        return Announced(dossier, ())
    outgoing: list[Outgoing] = []
    if first == 0:
        outgoing.append(_request(customer_id, grant, clock_ms, reminder=False))
    if max(first, 1) < min(reached, last):
        outgoing.append(_request(customer_id, grant, clock_ms, reminder=True))
    after = replace(dossier, announced=reached)
    if reached > last:
        outgoing += _end(customer_id, after, grant, clock_ms, policy)
    return Announced(after, tuple(outgoing))


def _request(customer_id: str, grant: Grant, clock_ms: int, *, reminder: bool) -> Outgoing:
    body = ReReview(
        request_id=derived_id(customer_id, grant.event_id, "re_review"),
        kind="reminder" if reminder else "request",
        customer_id=customer_id,
        tier=grant.tier,
        why="periodic",
        check=_to_check(grant.evidence),
        requested_at=format_ms(clock_ms),
        due_at=format_ms(grant.review_ms),
        grace_until=format_ms(grant.grace_until_ms),
    )
    return reviewed(body)


def _to_check(evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """The kinds of evidence, what expires first first; what never expires last."""
    expiring = sorted((item for item in evidence if item.expires_ms is not None), key=lambda item: item.expires_ms or 0)
    lasting = (item for item in evidence if item.expires_ms is None)
    return tuple(dict.fromkeys(item.kind for item in (*expiring, *lasting)))


def _end(customer_id: str, dossier: Dossier, grant: Grant, clock_ms: int, policy: Policy) -> list[Outgoing]:
    expired = grant.grace_until_ms == grant.expires_ms
    what = "grant.expired" if expired else "review.demoted"
    base = policy.tiers[0].name
    now = format_ms(clock_ms)
    entry = AuditEntry(
        entry_id=derived_id(customer_id, grant.event_id, what, "audit"),
        subject=customer_id,
        what=what,
        actor=CLOCK,
        result="applied",
        at=now,
        event_id=grant.event_id,
        detail=f"{grant.tier} -> {base}, at {format_ms(grant.grace_until_ms)}",
    )
    change = AccountAction(
        action_id=derived_id(customer_id, grant.event_id, what, "action"),
        action="tier_change",
        customer_id=customer_id,
        because="grant_expired" if expired else "review_overdue",
        requested_at=now,
        event_id=grant.event_id,
        tier_from=grant.tier,
        tier_to=base,
    )
    return [
        audited(entry),
        action(change),
        entitled(entitlement(customer_id, dossier, policy, clock_ms), entry.entry_id),
    ]
