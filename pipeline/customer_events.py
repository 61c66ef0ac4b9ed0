"""The first look at a customer event's bytes, and what it does to the customer's dossier."""

from pipeline.cards import mask_value
from pipeline.customer import Customer, Customers
from pipeline.policy.model import Policy
from pipeline.policy.sweeps import Sweep
from pipeline.record import Record
from pipeline.validate import Rejected, check_key
from pipeline.whitelist.conduct import conduct_of
from pipeline.whitelist.life import Applied, Duplicate, Refusal, apply
from schemas.codec import Undecodable, decode_customer_event
from schemas.reasons import DeadLetterReason as Reason


def judge_event(
    record: Record, partitions: int | None, customers: Customers, policy: Policy, sweeps: tuple[Sweep, ...]
) -> tuple[Customer, Applied | Refusal | Duplicate] | Rejected:
    """The customer, and what becomes of the event: applied, refused by name, or a repeat. Changes nothing itself."""
    value = record.value or b""
    try:
        decoded = decode_customer_event(value)
    except Undecodable as error:
        return Rejected(error.reason, error.detail)
    event = decoded.message
    rejected = check_key(record, event.customer_id, None)
    if rejected is None and mask_value(value)[1]:
        rejected = Rejected(Reason.CARD_NUMBER, "a card number outside the id fields")
    rejected = rejected or check_key(record, event.customer_id, partitions)
    if rejected is not None:
        return rejected
    customer = customers.get(record.key or b"")
    conduct = conduct_of(customer.history, policy, record.timestamp)
    return customer, apply(event, decoded.fields, customer.dossier, policy, record.timestamp, conduct, sweeps)
