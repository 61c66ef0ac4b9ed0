"""What happens as time passes: each row of the clock once, however often or seldom anybody looks."""

from operator import itemgetter
from typing import Final, NamedTuple

from pipeline.policy.model import Policy
from pipeline.policy.sweeps import Sweep
from pipeline.whitelist import table
from pipeline.whitelist.conduct import NOTHING_KNOWN, Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.outgoing import Outgoing, audited
from pipeline.whitelist.said import entry_of, follows, notify, tells
from pipeline.whitelist.table import OnTime, state_of
from pipeline.whitelist.tiers import tier_in_force
from pipeline.whitelist.transition import Ahead, Tick
from schemas.re_review import ReReview
from schemas.timestamps import format_ms

# The actor of what nobody did.
CLOCK = "review_clock"
# No chain of moments is longer: grants have at most 22 steps, applications at most ten calls, rules one allowance each.
_MOST_ROWS = 1_000
_at: Final = itemgetter(0)


class Announced(NamedTuple):
    """What a tick says, and the dossier that remembers that it was said."""

    dossier: Dossier
    outgoing: tuple[Outgoing, ...]


class Looked(NamedTuple):
    """What a look at the clock announced, and the next moment at which something happens by itself, None for never."""

    announced: Announced
    due_ms: int | None


def due(customer_id: str, dossier: Dossier, sweeps: tuple[Sweep, ...] = ()) -> int | None:
    """The next moment at which something happens by itself, None when nothing is ahead."""
    return _first(_moments(dossier, Ahead(customer_id, sweeps)))


def announce(
    customer_id: str,
    dossier: Dossier,
    clock_ms: int,
    policy: Policy,
    sweeps: tuple[Sweep, ...] = (),
    conduct: Conduct = NOTHING_KNOWN,
) -> Announced:
    """Do and say what has come due by `clock_ms`, in the order of its moments."""
    return look(customer_id, dossier, clock_ms, policy, sweeps, conduct).announced


def look(
    customer_id: str,
    dossier: Dossier,
    clock_ms: int,
    policy: Policy,
    sweeps: tuple[Sweep, ...] = (),
    conduct: Conduct = NOTHING_KNOWN,
) -> Looked:
    """Announce what has come due by `clock_ms`, and find what comes next: one way through the table serves both."""
    ahead = Ahead(customer_id, sweeps)
    outgoing: list[Outgoing] = []
    moments = _moments(dossier, ahead)
    for _ in range(_MOST_ROWS):
        found = _next(moments, dossier, ahead, policy, clock_ms, conduct)
        if found is None:
            break
        at_ms, row = found
        tick = Tick(ahead, policy, at_ms, clock_ms, conduct)
        change = row.act(dossier, tick)
        outgoing += change.outgoing
        outgoing += _said(row, tick, dossier, change.dossier, change.outgoing)
        dossier = change.dossier
        moments = _moments(dossier, ahead)
    return Looked(Announced(dossier, tuple(outgoing)), _first(moments))


def _moments(dossier: Dossier, ahead: Ahead) -> list[tuple[int, OnTime]]:
    """All that the table has ahead of a customer, in its order."""
    # Asked of every customer after a restart and once a day, of whom few have applied.
    applied = dossier.application is not None
    return [
        (at_ms, row)
        for row in table.ON_TIME
        if (applied or row.region != "application") and (at_ms := row.due(dossier, ahead)) is not None
    ]


def _first(moments: list[tuple[int, OnTime]]) -> int | None:
    return min([at_ms for at_ms, _ in moments]) if moments else None


def _next(
    moments: list[tuple[int, OnTime]], dossier: Dossier, ahead: Ahead, policy: Policy, clock_ms: int, conduct: Conduct
) -> tuple[int, OnTime] | None:
    """The earliest row that is due; of several at one moment, the first of the table."""
    come = [moment for moment in moments if moment[0] <= clock_ms]
    for at_ms, row in sorted(come, key=_at) if len(come) > 1 else come:
        if row.when is None or row.when(dossier, Tick(ahead, policy, at_ms, clock_ms, conduct)):
            return at_ms, row
    return None


def _said(
    row: OnTime, tick: Tick, before: Dossier, after: Dossier, requests: tuple[Outgoing, ...]
) -> tuple[Outgoing, ...]:
    grant, application = before.grant, before.application
    if not row.audited and not requests and after.application is application:
        return ()  # a look that found nothing, as nearly all are
    of = grant.event_id if row.region in {"standing", "trust"} and grant is not None else ""
    if row.region == "application" and application is not None:
        of = application.application_id
    what, words = row.audited or row.name, _in_words(row, tick, before)
    entry = entry_of(tick.customer_id, what, CLOCK, tick.clock_ms, of, words, tick.due_ms)
    told = [
        notify(entry, "review_due", {"kind": body.kind, "due_at": body.due_at, "grace_until": body.grace_until or ""})
        for body in (one.body for one in requests)
        if isinstance(body, ReReview) and body.why == "periodic"
    ]
    outgoing = [audited(entry)] if row.audited else []
    outgoing += follows(entry, before, after, tick.policy, tick.due_ms, tick.due_ms - 1) if row.audited else ()
    if after.application is not before.application:
        outgoing += tells(entry, before, after, tick.policy, NOTHING_KNOWN, tick.clock_ms)
    return *told, *outgoing


def _in_words(row: OnTime, tick: Tick, before: Dossier) -> str:
    if row.region == "application":
        was = state_of("application", before, tick.due_ms)
        return f"{was} -> {row.to[0]}, at {format_ms(tick.due_ms)}"
    if row.region == "trust":
        return f"{row.sources[0]} -> {row.to[0]}"
    was_tier = tier_in_force(before, tick.policy, tick.due_ms - 1).name
    now_tier = tier_in_force(before, tick.policy, tick.due_ms).name
    return f"{was_tier} -> {now_tier}, at {format_ms(tick.due_ms)}"
