"""What a transaction or an alert turned out to be: the label that rules and models are measured by."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.transaction import Identifier, ShortText, Timestamp

Label = Literal["fraud", "genuine", "inconclusive"]
Status = Literal["provisional", "final"]


class Disposition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names either a transaction, by its `source` and id, or an alert. `occurred_at` is when the label was given.

    Where the payment went need be said only of one about which nothing was asked, as of a chargeback out of the blue.
    """

    disposition_id: Identifier
    customer_id: Identifier
    occurred_at: Timestamp
    actor: Identifier
    label: Label
    status: Status
    transaction_id: Annotated[str, Meta(max_length=128)] = ""
    source: ShortText = ""
    alert_id: Annotated[str, Meta(max_length=128)] = ""
    # When the payment occurred, and where it went.
    paid_at: Timestamp | None = None
    terminal_id: Annotated[str, Meta(max_length=128)] = ""
    merchant_id: Annotated[str, Meta(max_length=128)] = ""
    device_id: Annotated[str, Meta(max_length=128)] = ""
    payee_id: Annotated[str, Meta(max_length=128)] = ""
