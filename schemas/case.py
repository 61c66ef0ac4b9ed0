"""A case: the alerts that are one incident to whoever works on it. Counts and keys; which alerts, their topic says."""

from typing import Literal

from msgspec import Struct

from schemas.decision import Outcome, Severity
from schemas.transaction import Timestamp


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest message of a `case_id` holds. Alerts join because they share what `correlation` names."""

    case_id: str
    correlation: Literal["customer"]
    customer_id: str
    opened_at: Timestamp
    # Arrival of the last transaction whose alert joined.
    last_alert_at: Timestamp
    alerts: int
    # The highest of all its alerts.
    outcome: Outcome
    severity: Severity
    # The first ten that fired, in the order of their first alert.
    rules: tuple[str, ...]
    first_alert_id: str
    last_alert_id: str
