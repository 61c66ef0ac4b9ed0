"""The keys of cases as they talk to each other: each takes its messages in order, and nobody knows who is next."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from pipeline.cases.keeper import Taken, settle, take
from pipeline.policy.incidents import Campaign, Incidents
from schemas.case import Case, CaseMember
from schemas.case_event import AlertSeen, AnyCaseEvent, CaseWorked
from schemas.case_key import CaseKey
from schemas.decision import Outcome, Severity
from schemas.timestamps import format_ms, parse_ms

BEGAN_MS = parse_ms("2026-11-22T10:00:00Z")
TERMS = Incidents(campaign=Campaign(customers=4, within_ms=60_000))


def seen(  # noqa: PLR0917 - what a story tells apart
    number: int,
    customer: str,
    at_ms: int,
    entities: tuple[str, ...] = (),
    rules: tuple[str, ...] = ("amount_24h",),
    severity: Severity = "high",
    outcome: Outcome = "review",
    *,
    delayed: bool = False,
) -> AlertSeen:
    """An alert on its way, as `seen_of` makes one."""
    first, *path = *entities, f"customer:{customer}"
    return AlertSeen(
        key=first,
        path=tuple(path),
        entities=entities,
        alert_id=f"al-{number}",
        customer_id=customer,
        at=format_ms(at_ms),
        read_at="2026-11-22T10:00:00.000Z",
        outcome=outcome,
        severity=severity,
        rules=rules,
        queue="self_service",
        delayed=delayed,
    )


@dataclass
class Network:
    """`turn` chooses among so many keys that have something to hear."""

    terms: Incidents
    now_ms: int
    turn: Callable[[int], int] = lambda _: 0
    keys: dict[str, CaseKey] = field(default_factory=dict)
    waiting: defaultdict[str, deque[AnyCaseEvent]] = field(default_factory=lambda: defaultdict(deque))
    cases: dict[str, Case] = field(default_factory=dict)
    members: list[CaseMember] = field(default_factory=list)
    heard: int = 0
    largest: int = 0

    def tell(self, *events: AnyCaseEvent) -> None:
        for event in events:
            self.waiting[event.key].append(event)

    def step(self) -> bool:
        """Let one key take one message; False when nobody has any."""
        open_keys = sorted(key for key, queue in self.waiting.items() if queue)
        if not open_keys:
            return False
        key = open_keys[self.turn(len(open_keys))]
        self.note(key, take(self.keys.get(key, CaseKey(key=key)), self.waiting[key].popleft(), self.terms, self.now_ms))
        return True

    def note(self, key: str, taken: Taken) -> None:
        self.keys[key] = taken.state
        self.heard += 1
        self.largest = max(self.largest, len(msgspec.json.encode(taken.state)))
        self.cases |= {case.case_id: case for case in taken.cases}
        self.members += taken.members
        self.tell(*taken.onward)

    def run(self) -> "Network":
        while self.step():
            pass
        return self

    def together(self) -> set[frozenset[str]]:
        """Return the alerts of each incident."""
        case_of = {member.alert_id: member.case_id for member in self.members if member.alert_id}
        parts = {member.member_case_id: member.case_id for member in self.members if member.member_case_id}
        found: defaultdict[str, set[str]] = defaultdict(set)
        for alert_id, case_id in case_of.items():
            whole = case_id
            while whole in parts:
                whole = parts[whole]
            found[whole].add(alert_id)
        return {frozenset(alerts) for alerts in found.values()}

    def standing(self) -> list[Case]:
        return [case for case in self.cases.values() if case.state != "absorbed"]


def work(network: Network, action: str, **more: str) -> None:
    (case,) = network.standing()
    event = CaseWorked(
        key=f"{case.correlation}:{case.entity}",
        event_id=f"e-{network.heard}",
        case_id=case.case_id,
        action=action,  # type: ignore[arg-type]
        actor="ada",
        at=format_ms(network.now_ms),
        **more,  # type: ignore[arg-type]
    )
    network.tell(event)
    network.run()


def one_case() -> Network:
    network = Network(TERMS, BEGAN_MS)
    network.tell(seen(1, "c-1", BEGAN_MS, severity="critical", outcome="review"))
    return network.run()


def pass_time(network: Network, ms: int) -> None:
    network.now_ms += ms
    for key, state in network.keys.items():
        network.note(key, settle(state, network.terms, network.now_ms))
