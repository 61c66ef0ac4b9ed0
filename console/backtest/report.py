"""Policies compared on one history: alerts gained and lost, precision, recall, and money."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from console.backtest.heard import Fired, Said
from console.backtest.run import Judged
from pipeline.policy.model import Policy
from schemas.timestamps import MS_PER_DAY


class Line(Struct, frozen=True):
    """Alerts with this live rule at this tier, under both policies; gained and lost ones, and the frauds among them.

    `shadow` is how often the new policy's rule fired and asked for nothing.
    """

    tier: str
    rule: str
    old: int
    new: int
    gained: int
    gained_frauds: int
    lost: int
    lost_frauds: int
    shadow: int


class Side(Struct, frozen=True):
    """What one policy says of the history. Shares are None where no label tells; money is in base minor units.

    `precision` is the share of frauds among the alerts that have a label, `recall` that of alerts among the frauds.
    """

    policy: str
    version: int
    digest: str
    alerts: int
    alerts_per_day: float
    alerts_per_analyst_day: float
    challenges: int
    dead_letters: int
    precision: float | None
    recall: float | None
    caught_minor: int
    missed_minor: int
    daily: tuple[int, ...]


class Report(Struct, frozen=True):
    """`sides` are the new policy and, if it is compared, the old one; their `daily` alerts begin at `first_day`."""

    transactions: int
    days: float
    frauds: int
    currency: str
    first_day: int
    sides: tuple[Side, ...]
    lines: tuple[Line, ...]


def report(judged: Judged, policies: Sequence[Policy], analysts: int) -> Report:
    """What is told of a history; of two policies the first is the new one."""
    sides = [_side(said, policy, judged, analysts) for said, policy in zip(judged.said, policies, strict=True)]
    old = judged.said[1].fired if len(judged.said) > 1 else {}
    return Report(
        transactions=judged.transactions,
        days=round(judged.days, 2),
        frauds=len(judged.frauds),
        currency=policies[0].base_currency,
        first_day=judged.first_ms // MS_PER_DAY,
        sides=tuple(sides),
        lines=tuple(_lines(old, judged.said[0].fired)),
    )


def _side(said: Said, policy: Policy, judged: Judged, analysts: int) -> Side:
    alerts = {decision_id: each for decision_id, each in said.fired.items() if each.alert}
    labelled = [each.label for each in alerts.values() if each.label is not None]
    caught = judged.frauds.keys() & alerts.keys()
    money = sum(judged.frauds[decision_id] for decision_id in caught)
    per_day = len(alerts) / judged.days
    by_day = Counter(each.day for each in alerts.values())
    days = range(judged.first_ms // MS_PER_DAY, judged.last_ms // MS_PER_DAY + 1)
    return Side(
        policy=policy.name,
        version=policy.version,
        digest=policy.digest,
        alerts=len(alerts),
        alerts_per_day=round(per_day, 2),
        alerts_per_analyst_day=round(per_day / analysts, 2),
        challenges=sum(each.outcome == "challenge" for each in said.fired.values()),
        dead_letters=said.dead_letters,
        precision=round(sum(labelled) / len(labelled), 4) if labelled else None,
        recall=round(len(caught) / len(judged.frauds), 4) if judged.frauds else None,
        caught_minor=money,
        missed_minor=sum(judged.frauds.values()) - money,
        daily=tuple([by_day[day] for day in days]),
    )


def _lines(old: Mapping[str, Fired], new: Mapping[str, Fired]) -> Iterator[Line]:
    """One for each tier and rule of which any alert or shadow tells, those that change most first."""
    before, after = _alerts(old), _alerts(new)
    shadow = Counter((each.tier, rule) for each in new.values() for rule in each.shadow)
    lines = []
    for tier, rule in before.keys() | after.keys() | shadow.keys():
        was, is_ = before.get((tier, rule), {}), after.get((tier, rule), {})
        gained, lost = is_.keys() - was.keys(), was.keys() - is_.keys()
        lines.append(
            Line(
                tier=tier,
                rule=rule,
                old=len(was),
                new=len(is_),
                gained=len(gained),
                gained_frauds=sum(is_[each] is True for each in gained),
                lost=len(lost),
                lost_frauds=sum(was[each] is True for each in lost),
                shadow=shadow[tier, rule],
            )
        )
    yield from sorted(lines, key=lambda line: (-line.gained - line.lost, -line.new, line.tier, line.rule))


def _alerts(fired: Mapping[str, Fired]) -> dict[tuple[str, str], dict[str, bool | None]]:
    """By tier and rule, the decisions that alerted, with their labels."""
    found: dict[tuple[str, str], dict[str, bool | None]] = {}
    for decision_id, each in fired.items():
        for rule in each.live if each.alert else ():
            found.setdefault((each.tier, rule), {})[decision_id] = each.label
    return found
