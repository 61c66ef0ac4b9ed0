"""A message to a customer, for whoever sends them: which template, with which parameters, and no personal data."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp

Template = Literal[
    "application_received",
    "supplements_needed",
    "call_back_due",
    "application_decided",
    "application_closed",
    "review_due",
    "tier_changed",
]


class Notification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request to send; a repeat of a `notification_id` asks for nothing new."""

    notification_id: str
    customer_id: str
    template: Template
    parameters: dict[str, str]
    channels: tuple[str, ...]
    requested_at: Timestamp
