"""What happens to cases: alerts on their way to one, cases handed over to campaigns, and what people do.

All of it travels by correlation key (`merchant:m-7`), so that one owner of the key decides alone. What people do comes
with the `case` as they saw it, for an owner who has forgotten it since.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from schemas.case import Case
from schemas.decision import Outcome, Severity
from schemas.disposition import Label
from schemas.transaction import Identifier, ShortText, Text, Timestamp


class CaseEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type"):
    """What every one carries: the key it is for, which is its key on Kafka, too."""

    key: str


class AlertSeen(CaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="alert.seen"):
    """An alert asks the owner of `key` to keep it; whoever does not sends it on to the first of `path`.

    The last of its keys always keeps it. `entities` are the keys of its merchant, payee and device.
    """

    alert_id: str
    customer_id: str
    # The transaction's own time, and when the pager read of it: from then on its page waits.
    at: Timestamp
    read_at: Timestamp
    outcome: Outcome
    # Of its worst rule; critical where money is held.
    severity: Severity
    rules: tuple[str, ...]
    queue: str
    path: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    delayed: bool = False
    # A campaign asked for it: it is not sent back.
    sent_back: bool = False


class CaseAbsorbed(CaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="case.absorbed"):
    """Asks for the case of a key, and for what still arrives of it: it belongs to `into_case_id` at `into_key`.

    A campaign names its `rule` and when; a person the case, and who they are.
    """

    into_key: str
    into_case_id: str
    at: Timestamp
    rule: str = ""
    case_id: str = ""
    event_id: str = ""
    actor: ShortText = ""
    case: Case | None = None


class CaseHandedOver(CaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="case.handed_over"):
    """A case whose alerts are part of `into_case_id` from now on; where that is its own, it comes back."""

    into_case_id: str
    case: Case
    reason: Literal["absorbed", "merged"]


class CaseWorked(CaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="case.worked"):
    """What a person does with a case: `to` whom it is assigned, `until` when nobody is to hear of it, its `label`."""

    event_id: Identifier
    case_id: Identifier
    action: Literal["assign", "snooze", "close", "reopen"]
    actor: Identifier
    at: Timestamp
    to: ShortText = ""
    until: Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})] = ""
    label: Label | Literal[""] = ""
    why: Text = ""
    case: Case | None = None


class CaseSplit(CaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="case.split"):
    """A person says that these alerts are another incident: they make a case of their own."""

    event_id: Identifier
    case_id: Identifier
    alerts: Annotated[tuple[AlertSeen, ...], Meta(min_length=1, max_length=100)]
    actor: Identifier
    at: Timestamp
    case: Case | None = None


AnyCaseEvent: TypeAlias = AlertSeen | CaseAbsorbed | CaseHandedOver | CaseWorked | CaseSplit
