"""How a customer's last seven days compare with the weeks before: what a profile is that costs nothing to keep.

The windows remember all of it anyway, so a look reads it from there, and no payment pays for it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from pipeline.first_seen import FirstSeen
from pipeline.history import History
from pipeline.policy.profile_shift import EARLIER_WEEKS, ProfileShift
from schemas.re_review import Departure, Measure
from schemas.timestamps import MS_PER_DAY, MS_PER_MINUTE, format_ms

WEEK_MS: Final = 7 * MS_PER_DAY
_QUARTER_MS: Final = 15 * MS_PER_MINUTE
# Of a customer who knows more payees or devices than are remembered, nobody can tell which are new.
_UNTOLD: Final = (0,) * (EARLIER_WEEKS + 1)


class Weeks(NamedTuple):
    """Four weeks, the newest first, each of seven days; the newest ends before `until_ms`, epoch ms.

    Sums (base minor units) and counts of payments, declined ones in the counts only; payees and devices first seen.
    """

    until_ms: int
    amounts: tuple[int, ...]
    counts: tuple[int, ...]
    new_payees: tuple[int, ...]
    new_devices: tuple[int, ...]


def weeks_of(history: History, mask: int, at_ms: int) -> Weeks:
    """The weeks before the quarter of an hour that holds `at_ms`; `mask` has the types that count (see `Timeline`)."""
    until_ms = at_ms // _QUARTER_MS * _QUARTER_MS
    timeline = history.timeline(mask)
    ends = [until_ms - week * WEEK_MS for week in range(EARLIER_WEEKS + 1)]
    totals = [timeline.total(end - WEEK_MS, end - 1) for end in ends]
    return Weeks(
        until_ms,
        tuple(amount for amount, _ in totals),
        tuple(count for _, count in totals),
        _first_seen(history.payees, ends),
        _first_seen(history.devices, ends),
    )


def departures(weeks: Weeks, terms: ProfileShift, limits: Mapping[str, int]) -> tuple[Departure, ...]:
    """In what the newest week has left the profile; nothing while too few weeks before it have payments.

    `limits` are the customer's own, by rule.
    """
    if sum(count > 0 for count in weeks.counts[1:]) < terms.weeks:
        return ()
    measured: tuple[tuple[Measure, tuple[int, ...], int], ...] = (
        ("amount_7d", weeks.amounts, limits["amount_7d"] * terms.limit_pct // 100),
        ("count_7d", weeks.counts, limits["count_7d"] * terms.limit_pct // 100),
        ("new_payees_7d", weeks.new_payees, terms.new_payees),
        ("new_devices_7d", weeks.new_devices, terms.new_devices),
    )
    until = format_ms(weeks.until_ms)
    found = []
    for measure, (observed, *earlier), least in measured:
        limit = max(least, max(earlier) * terms.above_pct // 100)
        if observed > limit:
            one = Departure(measure=measure, until=until, observed=observed, limit=limit, earlier=tuple(earlier))
            found.append(one)
    return tuple(found)


def _first_seen(known: FirstSeen, ends: list[int]) -> tuple[int, ...]:
    if len(known.since) >= known.size:
        return _UNTOLD
    counts = [0] * len(ends)
    for since in known.since.values():
        week = (ends[0] - 1 - since) // WEEK_MS
        if 0 <= week < len(counts):
            counts[week] += 1
    return tuple(counts)
