"""What a history's labels teach of terminals, merchants, devices and payees, as of when they mature.

Each label is taken for one that says where its payment went, whether or not a policy asked about that: so what is
taught depends on no policy's alerts, and is known before the history is judged, in however many processes.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from console.backtest.history import payments_of, said_of
from pipeline.behaviour.baseline import SPIKE, Baseline
from pipeline.behaviour.payment import DEPOSIT, RETURNS
from pipeline.beside import Beside
from pipeline.entities.keeper import Entities
from pipeline.labels.desk import Desk
from pipeline.policy.model import RISK_RULES, Policy
from pipeline.record import InputRecord, Message
from pipeline.tally import Tally
from pipeline.validate import Rejected
from schemas.timestamps import parse_ms
from schemas.transaction import TRANSACTION_TYPES, Transaction

if TYPE_CHECKING:
    from pipeline.policy.labels import Labels
    from schemas.disposition import Disposition

_SPENT = {each for index, each in enumerate(TRANSACTION_TYPES) if index not in {DEPOSIT, *RETURNS}}
# Many more than can be due at one moment, of which the pipeline announces so many at a time.
_AT_ONCE = 1_000


def taught(files: list[str], format_: str, policies: Collection[Policy]) -> list[list[InputRecord]]:
    """The records of `entity-risk` that each policy is judged with, by their times."""
    if not any(_asks(policy) for policy in policies):
        return [[] for _ in policies]
    said = said_of(files, format_)
    if not any(each.label == "fraud" for _, each in said):
        return [[] for _ in policies]
    paid = payments_of(files, format_, {(each.source, each.transaction_id) for _, each in said})
    against = {
        entity
        for _, each in said
        if each.label == "fraud" and (payment := paid.get((each.source, each.transaction_id)))
        for entity in _entities(payment)
    }
    told = [
        (at_ms, _with(each, payment))
        for at_ms, each in said
        # What nothing speaks against stays neutral.
        if (payment := paid.get((each.source, each.transaction_id))) and not against.isdisjoint(_entities(payment))
    ]
    told.sort(key=lambda each: each[0])
    spikes = _spikes(paid.values())
    return [_Teacher(policy.labels, spikes).teach(told) if _asks(policy) else [] for policy in policies]


def _asks(policy: Policy) -> bool:
    if policy.points is not None or policy.learned is not None:
        return True
    return any(name in policy.rules and policy.rules[name].mode != "off" for name in RISK_RULES)


def _spikes(payments: Iterable[Transaction]) -> set[tuple[str, int]]:
    """Customers and moments of payments far above what each usually pays, as far as labelled payments tell."""
    baselines: dict[str, Baseline] = {}
    found: set[tuple[str, int]] = set()
    for at_ms, each in sorted([(parse_ms(each.occurred_at), each) for each in payments], key=lambda each: each[0]):
        if each.status == "authorised" and each.transaction_type in _SPENT:
            baseline = baselines.setdefault(each.customer_id, Baseline())
            if baseline.ratio(each.amount) >= SPIKE:
                found.add((each.customer_id, at_ms))
            baseline.learn(each.amount)
    return found


def _entities(payment: Transaction) -> list[tuple[str, str]]:
    named = (
        ("terminal", payment.terminal_id),
        ("merchant", payment.merchant_id),
        ("device", payment.device_id),
        ("payee", payment.payee_id),
    )
    return [(kind, value) for kind, value in named if value]


def _with(said: "Disposition", payment: Transaction) -> "Disposition":
    return replace(
        said,
        paid_at=payment.occurred_at,
        terminal_id=payment.terminal_id,
        merchant_id=payment.merchant_id,
        device_id=payment.device_id,
        payee_id=payment.payee_id,
    )


class _Teacher:
    """Hears labels in their order, lets them mature, and keeps what every worker would be told."""

    def __init__(self, policy: "Labels", spikes: set[tuple[str, int]]) -> None:
        nothing: dict[bytes, bytes] = {}
        beside = Beside(nothing.get)
        self._desk = Desk(beside)
        self._entities = Entities(beside, Tally())
        self._policy = policy
        self._spikes = spikes
        self._told: list[InputRecord] = []

    def teach(self, said: "Iterable[tuple[int, Disposition]]") -> list[InputRecord]:
        for at_ms, each in said:
            self._mature(at_ms)
            customer_id = each.customer_id
            heard = self._desk.hear(customer_id.encode(), each, self._policy, at_ms, self._spikes_of(customer_id))
            for label in heard.messages:
                told = self._entities.take(InputRecord(label.topic, 0, 0, at_ms, label.key, label.value), None)
                self._tell([] if isinstance(told, Rejected) else told, at_ms)
        self._mature(None)
        return self._told

    def _spikes_of(self, customer_id: str) -> Callable[[int], bool]:
        return lambda paid_ms: (customer_id, paid_ms) in self._spikes

    def _mature(self, until_ms: int | None) -> None:
        clock = self._entities.clock
        while (due_ms := clock.next_ms()) is not None and (until_ms is None or due_ms <= until_ms):
            told, _ = self._entities.tick(due_ms, _AT_ONCE)
            self._tell(told, due_ms)

    def _tell(self, messages: list[Message], at_ms: int) -> None:
        self._told += [InputRecord(each.topic, 0, 0, at_ms, each.key, each.value) for each in messages]
