"""Gives the city's happenings their ids, their bytes and their lane."""

from hashlib import blake2b
from random import Random
from typing import TypedDict, Unpack

from load_tests.city.event import Event
from load_tests.city.people import Resident
from schemas.codec import encode
from schemas.customer_event import CustomerEvent, DeviceRegistered, PayeeAdded
from schemas.timestamps import format_ms
from schemas.transaction import Location, Status, Transaction, TransactionType

# A reversal comes from whoever told of its original.
_SOURCES = {
    "purchase": "card-network",
    "refund": "card-network",
    "reversal": "card-network",
    "withdrawal": "atm-network",
}


class Details(TypedDict, total=False):
    """What else is known of a payment: fields of a transaction."""

    original_transaction_id: str
    original_occurred_at: str
    channel: str
    card_token: str
    payee_id: str
    merchant_id: str
    mcc: str
    terminal_id: str
    device_id: str
    location: Location
    authentication: str


class Mint:
    """One for each city. `tag` sets the ids of one run apart from those of another on the same broker."""

    def __init__(self, seed: int, start_ms: int) -> None:
        """Ids are a function of the seed, the start and the order of the calls, nothing else."""
        self.tag = blake2b(f"{seed}/{start_ms}".encode(), digest_size=3).hexdigest()
        self.minted = 0

    def next_id(self) -> str:
        """Return an id never given before."""
        self.minted += 1
        return f"{self.tag}-{self.minted:06d}"

    def payment(
        self,
        rng: Random,
        who: Resident,
        at_ms: int,
        transaction_type: TransactionType,
        amount: int,
        *,
        status: Status = "authorised",
        **details: Unpack[Details],
    ) -> Event:
        """Return what `who` pays: `amount` in minor units of their country's currency.

        It arrives a network's moment after it occurred.
        """
        transaction_id = self.next_id()
        transaction = Transaction(
            transaction_id=transaction_id,
            customer_id=who.customer_id,
            occurred_at=format_ms(at_ms),
            amount=amount,
            currency=who.country.currency,
            transaction_type=transaction_type,
            status=status,
            source=_SOURCES.get(transaction_type, "online-bank"),
            account_id=who.account_id,
            country=who.country.code,
            **details,
        )
        topic = "transactions-priority" if who.tier.priority else "transactions"
        arrival_ms = at_ms + 20 + int(rng.expovariate(1 / 120))
        return Event(arrival_ms, topic, who.customer_id.encode(), encode(transaction), transaction_id)

    def happening(self, arrival_ms: int, event: CustomerEvent) -> Event:
        """Return something else that happens to a customer."""
        return Event(arrival_ms, "customer-events", event.customer_id.encode(), encode(event))

    def phone(self, who: Resident, at_ms: int, device_id: str, *, arrival_ms: int | None = None) -> Event:
        """Return that a phone was registered for `who`."""
        return self.happening(
            at_ms if arrival_ms is None else arrival_ms,
            DeviceRegistered(
                event_id=self.next_id(),
                customer_id=who.customer_id,
                occurred_at=format_ms(at_ms),
                actor="online-bank",
                device_id=device_id,
            ),
        )

    def payee(self, who: Resident, at_ms: int, payee_id: str, *, arrival_ms: int | None = None) -> Event:
        """Return that `who` added a payee."""
        return self.happening(
            at_ms if arrival_ms is None else arrival_ms,
            PayeeAdded(
                event_id=self.next_id(),
                customer_id=who.customer_id,
                occurred_at=format_ms(at_ms),
                actor=who.customer_id,
                payee_id=payee_id,
            ),
        )
