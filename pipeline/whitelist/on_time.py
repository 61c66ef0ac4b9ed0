"""What happens as time passes: each row of the clock once, however often or seldom anybody looks."""

from dataclasses import dataclass
from typing import NamedTuple

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


class Announced(NamedTuple):
    """What a tick says, and the dossier that remembers that it was said."""

    dossier: Dossier
    outgoing: tuple[Outgoing, ...]


@dataclass(frozen=True)
class _Due:
    at_ms: int
    row: OnTime


def due(customer_id: str, dossier: Dossier, sweeps: tuple[Sweep, ...] = ()) -> int | None:
    """The next moment at which something happens by itself, None when nothing is ahead."""
    ahead = Ahead(customer_id, sweeps)
    # Asked of every customer after a restart, of whom few have applied.
    rows = [row for row in table.ON_TIME if dossier.application is not None or row.region != "application"]
    moments = [at_ms for row in rows if (at_ms := row.due(dossier, ahead)) is not None]
    return min(moments) if moments else None


def announce(
    customer_id: str,
    dossier: Dossier,
    clock_ms: int,
    policy: Policy,
    sweeps: tuple[Sweep, ...] = (),
    conduct: Conduct = NOTHING_KNOWN,
) -> Announced:
    """Do and say what has come due by `clock_ms`, in the order of its moments."""
    ahead = Ahead(customer_id, sweeps)
    outgoing: list[Outgoing] = []
    for _ in range(_MOST_ROWS):
        found = _next(Tick(ahead, policy, clock_ms, clock_ms, conduct), dossier)
        if found is None:
            break
        tick = Tick(ahead, policy, found.at_ms, clock_ms, conduct)
        change = found.row.act(dossier, tick)
        outgoing += change.outgoing
        outgoing += _said(found.row, tick, dossier, change.dossier, change.outgoing)
        dossier = change.dossier
    return Announced(dossier, tuple(outgoing))


def _next(now: Tick, dossier: Dossier) -> _Due | None:
    """The earliest row that is due; of several at one moment, the first of the table."""
    found: _Due | None = None
    for row in table.ON_TIME:
        at_ms = row.due(dossier, now.ahead)
        if at_ms is None or at_ms > now.clock_ms or (found is not None and at_ms >= found.at_ms):
            continue
        if row.when is None or row.when(dossier, now._replace(due_ms=at_ms)):
            found = _Due(at_ms, row)
    return found


def _said(
    row: OnTime, tick: Tick, before: Dossier, after: Dossier, requests: tuple[Outgoing, ...]
) -> tuple[Outgoing, ...]:
    grant, application = before.grant, before.application
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
