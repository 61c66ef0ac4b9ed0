"""What every worker reads whole: policies with their history, exchange rates, lists, entity risk, models."""

from typing import Final

from msgspec.structs import replace

from pipeline.audit_chain import AuditChain
from pipeline.cards import mask_text
from pipeline.entities.risks import Risks
from pipeline.ids import derived_id
from pipeline.learned.models import Models
from pipeline.lists import Lists
from pipeline.messages import audited, dead_letter_of
from pipeline.policy.book import PolicyBook
from pipeline.rates import Rates
from pipeline.record import Message, Record
from pipeline.validate import Rejected, check_arrival
from schemas.audit import AuditEntry
from schemas.codec import (
    Undecodable,
    decode_entity_risk,
    decode_list_entry,
    decode_model_file,
    decode_policy_event,
    decode_rate,
)
from schemas.policy_event import GlassBroken
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import format_ms

_REVIEW_ASKED: Final = "policy.glass_review_requested"


class Books:
    """Policies, rates, lists, entity risk and models as of the records taken so far."""

    def __init__(self, policies: PolicyBook, rates: Rates) -> None:
        """Begin with the first policy, and the rates given."""
        self.policies = policies
        self.rates = rates
        self.lists = Lists()
        self.risks = Risks()
        self.models = Models()
        # Every worker reads the policies from their beginning, so the chain needs no state of its own.
        self._chain = AuditChain()
        self._lists_chain = AuditChain()
        self._models_chain = AuditChain()

    def take(self, record: Record) -> list[Message]:
        """Apply one record of a shared topic: an audit entry or a dead letter comes back, or nothing."""
        rejected = check_arrival(record.timestamp)
        if rejected is not None:
            return [dead_letter_of(record, rejected)]
        try:
            if record.topic == "rates":
                self._rate(record)
                return []
            if record.topic == "models":
                return self._model(record)
            if record.topic == "entity-risk":
                self._entity_risk(record)
                return []
            return self._list_entry(record) if record.topic == "lists" else self._policy(record)
        except Undecodable as error:
            return [dead_letter_of(record, Rejected(error.reason, error.detail))]

    def _rate(self, record: Record) -> None:
        if record.value is None:  # a compacted topic forgets by tombstones; a rate that was used stays used
            return
        rate = decode_rate(record.value).message
        # On a compacted topic a wrong key would take another rate's place.
        if not record.key:
            raise Undecodable(Reason.EMPTY_KEY, "the record's key must be currency/date")
        if record.key != f"{rate.currency}/{rate.date}".encode():
            raise Undecodable(Reason.KEY_MISMATCH, "the record's key is not currency/date of the body")
        try:
            self.rates.apply(rate)
        except ValueError as error:
            raise Undecodable(Reason.BAD_VALUE, str(error)) from None

    def _model(self, record: Record) -> list[Message]:
        file = decode_model_file(record.value or b"").message
        if record.key != file.model.encode():
            raise Undecodable(Reason.KEY_MISMATCH, "the record's key must be the model's name")
        try:
            self.models.apply(file)
        except ValueError as error:
            raise Undecodable(Reason.BAD_VALUE, str(error)) from None
        told = AuditEntry(
            entry_id=derived_id(file.model, file.card.sha256, record.offset, record.timestamp, "audit"),
            subject=file.model,
            what="model.told",
            actor=file.actor,
            result="applied",
            at=format_ms(record.timestamp),
            detail=file.card.sha256,
            chain="models",
        )
        return [audited(file.model.encode(), told, self._models_chain)]

    def _entity_risk(self, record: Record) -> None:
        if not record.key:
            raise Undecodable(Reason.EMPTY_KEY, "the record's key must be kind/value")
        if record.value is None:
            self.risks.forget(record.key.decode("utf-8", "replace"))
            return
        said = decode_entity_risk(record.value).message
        if record.key != said.key.encode():
            raise Undecodable(Reason.KEY_MISMATCH, "the record's key is not kind/value of the body")
        self.risks.apply(said)

    def _list_entry(self, record: Record) -> list[Message]:
        entry = decode_list_entry(record.value or b"").message
        if record.key != entry.key.encode():
            raise Undecodable(Reason.KEY_MISMATCH, "the record's key must be list/kind/value of the body")
        if mask_text(entry.reason)[1]:  # the audit repeats it
            raise Undecodable(Reason.CARD_NUMBER, "$.reason: a card number")
        try:
            self.lists.apply(entry)
        except ValueError as error:
            raise Undecodable(Reason.BAD_VALUE, str(error)) from None
        what = "list.entry_removed" if entry.removed else "list.entry_added"
        told = AuditEntry(
            entry_id=derived_id(entry.key, what, record.offset, record.timestamp, "audit"),
            subject=entry.key,
            what=what,
            actor=entry.actor,
            result="applied",
            at=format_ms(record.timestamp),
            detail=entry.reason,
            chain="lists",
        )
        return [audited(entry.key.encode(), told, self._lists_chain)]

    def _policy(self, record: Record) -> list[Message]:
        decoded = decode_policy_event(record.value or b"")
        event = decoded.message
        if record.key != event.policy.encode():
            raise Undecodable(Reason.KEY_MISMATCH, "the record's key must be the policy's name")
        if self.policies.has(event):
            return []
        refusal = self.policies.apply(event, decoded.fields, record.timestamp)
        at = format_ms(record.timestamp)
        what = str(event.__struct_config__.tag)
        entry = AuditEntry(
            entry_id=derived_id(event.policy, event.event_id, what, record.timestamp, "audit"),
            subject=event.policy,
            what=what,
            actor=event.actor,
            result="refused" if refusal else "applied",
            at=at,
            event_id=event.event_id,
            reason=refusal.reason if refusal else None,
            detail=refusal.detail if refusal else self.policies.in_words(event),
            chain="policies",
        )
        entries = [entry]
        if isinstance(event, GlassBroken) and refusal is None:
            entries.append(_review_asked_for(entry, event))
        return [audited(event.policy.encode(), each, self._chain) for each in entries]


def _review_asked_for(broken: AuditEntry, event: GlassBroken) -> AuditEntry:
    """What asks a second person to look, from the moment on at which the glass was broken."""
    return replace(
        broken,
        entry_id=derived_id(event.policy, event.event_id, _REVIEW_ASKED, "audit"),
        what=_REVIEW_ASKED,
        actor="tierwatch",
        detail=f"another approver than {event.actor}, once it is over",
    )
