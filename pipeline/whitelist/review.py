"""The review clock: what a grant announces as time passes, each step once, however often or seldom anybody looks.

The clock changes no tier: `tier_at` lets a grant end by itself, and a tick only says so.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.policy.model import ReviewTerms
from pipeline.turns import share_ms
from pipeline.whitelist.dossier import Dossier, Evidence, Grant
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.outgoing import Outgoing, reviewed
from pipeline.whitelist.transition import Ahead, Change, Tick
from schemas.re_review import ReReview
from schemas.timestamps import MS_PER_DAY, format_ms

# Time enough for a new passport.
EXPIRY_NOTICE_MS = 30 * MS_PER_DAY
# Thousands of dates written by hand are the same midnight: over so long the requests that come of them are spread.
SPREAD_MS = MS_PER_DAY


def schedule(granted_ms: int, review_ms: int, expires_ms: int, terms: ReviewTerms) -> tuple[int, ...]:
    """The steps of a grant's review clock: the request, the reminders between it and the end, the end; rising.

    The end is the review's grace over, or the expiry where that is sooner.
    """
    end = min(expires_ms, review_ms + terms.grace_ms)
    request = max(granted_ms, review_ms - terms.notice_ms)
    reminders = {review_ms + offset for offset in terms.remind_ms}
    return (request, *sorted(moment for moment in reminders if request < moment < end), end)


def request_ms(dossier: Dossier, ahead: Ahead) -> int | None:
    """When the review is requested: on the customer's own moment of the day before it must be."""
    grant = dossier.grant
    if grant is None or dossier.announced > 0:
        return None
    return max(grant.granted_ms, grant.steps[0] - share_ms(ahead.customer_id, SPREAD_MS))


def reminder_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When the next reminder is due."""
    grant = dossier.grant
    if grant is None or not 0 < dossier.announced < len(grant.steps) - 1:
        return None
    return grant.steps[dossier.announced]


def overdue_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When the grace is over, of a review that has been requested."""
    grant = dossier.grant
    return _end_ms(dossier) if grant is not None and grant.grace_until_ms < grant.expires_ms else None


def expiry_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When the grant expires, its review requested."""
    grant = dossier.grant
    return _end_ms(dossier) if grant is not None and grant.grace_until_ms == grant.expires_ms else None


def _end_ms(dossier: Dossier) -> int | None:
    grant = dossier.grant
    return grant.steps[-1] if grant is not None and dossier.announced == len(grant.steps) - 1 else None


def request(dossier: Dossier, tick: Tick) -> Change:
    """Ask for the review."""
    after = replace(dossier, announced=1)
    return Change(after, outgoing=(_request(tick, dossier, reminder=False),))


def remind(dossier: Dossier, tick: Tick) -> Change:
    """Remind of the review: of several reminders that a late look missed, the newest only."""
    grant = _of(dossier)
    reached = min(bisect_right(grant.steps, tick.clock_ms), len(grant.steps) - 1)
    return Change(replace(dossier, announced=reached), outgoing=(_request(tick, dossier, reminder=True),))


def evidence_ms(dossier: Dossier, ahead: Ahead) -> int | None:
    """A month before evidence of a grant, or on file, expires, or on the customer's own moment of the day before."""
    grant = dossier.grant
    if grant is None or dossier.announced == len(grant.steps):
        return None
    nearest_ms = _nearest_end_ms(dossier)
    return None if nearest_ms is None else nearest_ms - EXPIRY_NOTICE_MS - share_ms(ahead.customer_id, SPREAD_MS)


def warn(dossier: Dossier, tick: Tick) -> Change:
    """Ask for newer evidence."""
    grant, expires_ms = _of(dossier), _nearest_end_ms(dossier)
    if expires_ms is None:
        raise ValueError("nothing expires, so nothing was due")
    kinds = (kind for kind, end_ms in _ends(dossier) if end_ms == expires_ms)
    body = ReReview(
        request_id=derived_id(tick.customer_id, grant.event_id, "evidence_expiring", expires_ms),
        kind="request",
        customer_id=tick.customer_id,
        tier=grant.tier,
        why="evidence_expiring",
        check=tuple(dict.fromkeys(kinds)),
        requested_at=format_ms(tick.clock_ms),
        due_at=format_ms(expires_ms),
        since_review=since_review(dossier, tick.conduct, tick.clock_ms),
    )
    return Change(replace(dossier, warned_ms=expires_ms), outgoing=(reviewed(body),))


def _nearest_end_ms(dossier: Dossier) -> int | None:
    """The nearest end of evidence that nobody was told of yet."""
    return min((end_ms for _, end_ms in _ends(dossier) if end_ms > dossier.warned_ms), default=None)


def _ends(dossier: Dossier) -> Iterator[tuple[str, int]]:
    """Kind and end of all evidence that expires."""
    for item in dossier.grant.evidence if dossier.grant is not None else ():
        if item.expires_ms is not None:
            yield item.kind, item.expires_ms
    for filed in dossier.file:
        if filed.expires_ms is not None:
            yield filed.kind, filed.expires_ms


def end(dossier: Dossier, _tick: Tick) -> Change:
    """Say that the grant has ended."""
    return Change(replace(dossier, announced=len(_of(dossier).steps)))


def _of(dossier: Dossier) -> Grant:
    if dossier.grant is None:
        raise ValueError("no grant, so nothing was due")
    return dossier.grant


def _request(tick: Tick, dossier: Dossier, *, reminder: bool) -> Outgoing:
    grant = _of(dossier)
    body = ReReview(
        request_id=derived_id(tick.customer_id, grant.event_id, "re_review"),
        kind="reminder" if reminder else "request",
        customer_id=tick.customer_id,
        tier=grant.tier,
        why="periodic",
        check=_to_check(grant.evidence),
        requested_at=format_ms(tick.clock_ms),
        due_at=format_ms(grant.review_ms),
        grace_until=format_ms(grant.grace_until_ms),
        since_review=since_review(dossier, tick.conduct, tick.clock_ms),
    )
    return reviewed(body)


def _to_check(evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """The kinds of evidence, what expires first first; what never expires last."""
    expiring = sorted((item for item in evidence if item.expires_ms is not None), key=lambda item: item.expires_ms or 0)
    lasting = (item for item in evidence if item.expires_ms is None)
    return tuple(dict.fromkeys(item.kind for item in (*expiring, *lasting)))
