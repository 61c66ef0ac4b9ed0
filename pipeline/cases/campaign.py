"""When many customers' alerts are one campaign: the same rule, at the same merchant, payee or device, close in time."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pipeline.policy.incidents import Campaign
from schemas.case_event import AlertSeen
from schemas.case_key import Watch

# Of one merchant, payee or device: those that fired last.
MOST_WATCHED: Final = 10


class Formed(NamedTuple):
    """A campaign: its rule, and the keys that keep the alerts of its other customers."""

    rule: str
    homes: tuple[str, ...]


def watched(
    watches: Iterable[Watch], seen: AlertSeen, home: str, at_ms: int, terms: Campaign
) -> tuple[tuple[Watch, ...], Formed | None]:
    """The watches with this alert in them, and the campaign that it completes, if any. `home` is what keeps it if not.

    Whatever order the alerts come in: what counts is that some stretch of `within_ms` holds enough customers.
    """
    by_rule = {watch.rule: watch for watch in watches}
    formed = None
    for rule in seen.rules:
        known = by_rule.pop(rule).customers if rule in by_rule else ()
        others = [each for each in known if each[0] != home]
        mine = max([at_ms, *(time_ms for name, time_ms in known if name == home)])
        customers = sorted([*others, (home, mine)], key=lambda each: (each[1], each[0]))
        if formed is None and (together := _together(customers, home, terms)):
            formed = Formed(rule, tuple(name for name, _ in together if name != home))
            continue
        # Twice as many as it takes: late ones are found beside those that came first.
        by_rule[rule] = Watch(rule=rule, customers=tuple(customers[-2 * terms.customers :]))
    return tuple(by_rule.values())[-MOST_WATCHED:], formed


def _together(customers: list[tuple[str, int]], home: str, terms: Campaign) -> list[tuple[str, int]]:
    """The longest stretch of close enough customers that holds `home`, if it holds enough of them."""
    for first in range(len(customers) - terms.customers + 1):
        stretch = [each for each in customers[first:] if each[1] - customers[first][1] < terms.within_ms]
        if len(stretch) >= terms.customers and any(name == home for name, _ in stretch):
            return stretch
    return []
