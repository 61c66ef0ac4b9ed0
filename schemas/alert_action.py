"""What a person does with an alert: takes it up, puts it off, or says what it turned out to be."""

from typing import Literal

from msgspec import Struct

from schemas.disposition import Label
from schemas.transaction import Timestamp


class AlertAction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest of an alert holds. It goes to `to`, or sleeps until `until`; its `label` is a disposition, too."""

    action_id: str
    action: Literal["assign", "snooze", "close"]
    alert_id: str
    customer_id: str
    actor: str
    at: Timestamp
    to: str = ""
    until: str = ""
    label: Label | Literal[""] = ""
    why: str = ""
