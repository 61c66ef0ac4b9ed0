"""Where labels arrive: each finds its payment, and goes on to the entities that the payment went through."""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, get_args

from pipeline.beside import Beside
from pipeline.ids import decision_stem, derived_id
from pipeline.labels.asked import Asked, alert_id_of, payment_digest, remember
from pipeline.labels.asked_bytes import SUFFIX, decode, encode
from pipeline.labels.verdict import LABELS, NOTHING_SAID, verdict_of
from pipeline.messages import message
from pipeline.policy.labels import Labels
from pipeline.record import Message
from schemas.account_action import AccountAction
from schemas.decision import OUTCOMES
from schemas.disposition import Disposition
from schemas.entity_label import EntityLabel
from schemas.entity_risk import ENTITY_KINDS
from schemas.timestamps import format_ms, parse_ms

_HOLD: Final = OUTCOMES.index("hold")
# What becomes of a label. `unknown`: nobody asked about its payment, or long ago, and it does not say where it went.
Result = Literal["taken", "withdrawn", "superseded", "unknown"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)


class Heard(NamedTuple):
    """What became of a label, what it makes, and its payment."""

    result: Result
    messages: list[Message]
    asked: Asked | None = None


class Desk:
    """The asked payments of one partition's customers."""

    def __init__(self, beside: Beside) -> None:
        """Read nothing yet."""
        self._beside = beside

    def known(self, key: bytes) -> tuple[Asked, ...]:
        """The payments that are remembered of a customer, the one asked longest ago first."""
        return decode(self._beside.get(key + SUFFIX))

    def ask(self, key: bytes, asked: Asked) -> None:
        """Remember that something was asked about a payment."""
        self._beside.put(key + SUFFIX, encode(remember(self.known(key), asked)))

    def hear(
        self, key: bytes, said: Disposition, policy: Labels, arrival_ms: int, is_spike: Callable[[int], bool]
    ) -> Heard:
        """Take a label in; `is_spike` says whether the customer's payment of a moment is known as a spike."""
        known = self.known(key)
        alert_id = said.alert_id or alert_id_of(said.source, said.transaction_id, said.customer_id)
        payment = payment_digest(alert_id)
        asked = next((each for each in known if each.payment == payment), None) or _as_told(payment, said, arrival_ms)
        if asked is None:
            return Heard("unknown", [])
        verdict = verdict_of(said, asked.verdict, policy, arrival_ms)
        if verdict == asked.verdict:
            return Heard("superseded", [], asked)
        labelled = asked._replace(verdict=verdict, spike=asked.spike or is_spike(asked.paid_ms))
        others = tuple(each if each.payment != payment else labelled for each in known)
        self._beside.put(key + SUFFIX, encode(others if labelled in others else remember(known, labelled)))
        if not (verdict.weight or asked.verdict.weight):
            return Heard("taken", [], labelled)
        return Heard("taken" if verdict.weight else "withdrawn", _to_entities(key, labelled, arrival_ms), labelled)


def release(said: Disposition, asked: Asked | None, arrival_ms: int) -> list[Message]:
    """The request to let a payment go that was put on hold."""
    if asked is None or asked.outcome != _HOLD:
        return []
    decision_id = decision_stem(said.source, said.customer_id) + said.transaction_id
    request = AccountAction(
        action_id=derived_id("release", decision_id),
        action="release",
        customer_id=said.customer_id,
        because="customer_confirmed",
        requested_at=format_ms(arrival_ms),
        decision_id=decision_id,
        event_id=said.disposition_id,
    )
    return [message("account-actions", said.customer_id.encode(), request, request.action_id, request.requested_at)]


def _as_told(payment: bytes, said: Disposition, arrival_ms: int) -> Asked | None:
    """A payment about which nothing was asked here, where its label says itself where it went."""
    entities = (said.terminal_id, said.merchant_id, said.device_id, said.payee_id)
    if not any(entities) or said.paid_at is None:
        return None
    return Asked(payment, min(parse_ms(said.paid_at), arrival_ms), 0, (), entities, NOTHING_SAID)


def _to_entities(key: bytes, asked: Asked, arrival_ms: int) -> list[Message]:
    verdict, at = asked.verdict, format_ms(arrival_ms)
    customer = derived_id("customer", key.decode())[:16]
    messages = []
    for kind, value in zip(ENTITY_KINDS, asked.entities, strict=True):
        if value:
            label = EntityLabel(
                kind=kind,
                value=value,
                payment=asked.payment.hex(),
                customer=customer,
                paid_at=format_ms(asked.paid_ms),
                label=LABELS[verdict.label],
                weight=verdict.weight,
                matures_at=format_ms(verdict.matures_ms),
                spike=asked.spike,
            )
            told = derived_id(label.payment, label.key, verdict.said_ms, verdict.label, verdict.weight)
            messages.append(message("entity-labels", label.key.encode(), label, told, at))
    return messages
