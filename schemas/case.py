"""A case: the alerts that are one incident to whoever works on it. Counts and keys: `case-members` says which."""

from typing import Literal

from msgspec import Struct

from schemas.decision import Outcome, Severity
from schemas.disposition import Label
from schemas.transaction import Timestamp

Correlation = Literal["customer", "merchant", "payee", "device"]


class Case(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest message of a `case_id` holds. Alerts join because they share what `correlation` names.

    `opened_at` and `last_alert_at` are the transactions' own times; all others are the pager's.
    """

    case_id: str
    correlation: Correlation
    # The id of the customer, merchant, payee or device.
    entity: str
    state: Literal["open", "closed", "absorbed"]
    opened_at: Timestamp
    last_alert_at: Timestamp
    # When something was last counted in it, or somebody worked on it.
    touched_at: Timestamp
    # Until then its page waits: it may become part of a campaign.
    page_after: Timestamp
    # By then somebody must have taken it up.
    due_at: Timestamp
    alerts: int
    # The highest of all its alerts.
    outcome: Outcome
    # Rises with its alerts; falls when somebody has it and nothing as bad came for some time.
    severity: Severity
    # When each severity was last seen, lowest first; empty for never.
    seen_at: tuple[str, str, str, str]
    # The first ten that fired, in the order of their first alert.
    rules: tuple[str, ...]
    first_alert_id: str
    last_alert_id: str
    # The service channel of the tier whose customers wait least.
    queue: str
    # Of a campaign: the rule that fired for many customers.
    rule: str = ""
    # How many of its alerts came long after their transactions.
    delayed: int = 0
    assignee: str = ""
    snoozed_until: str = ""
    reopened: int = 0
    # Somebody took its alerts out of another case: nothing joins it by itself.
    parted: bool = False
    # Who closed it; `tierwatch` when it was quiet for long enough.
    closed_by: str = ""
    label: Label | Literal[""] = ""
    absorbed_by: str = ""


class CaseMember(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert, or a whole case, is part of a case from `at` on, and why. The newest message of an alert holds."""

    case_id: str
    reason: Literal["opened", "correlation", "campaign", "absorbed", "bridged", "crowded", "merged", "split"]
    at: Timestamp
    # One of the two.
    alert_id: str = ""
    member_case_id: str = ""
    # The customer whose alert it is.
    customer_id: str = ""
