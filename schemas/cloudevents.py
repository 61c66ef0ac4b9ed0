"""CloudEvents 1.0 attributes as Kafka headers (binary mode): what a message is, without opening it."""

from typing import Final

from schemas.account_action import AccountAction
from schemas.alert_action import AlertAction
from schemas.application_status import ApplicationStatus
from schemas.audit import AuditEntry
from schemas.call_back import CallBackRequest
from schemas.case import Case, CaseMember
from schemas.case_event import AlertSeen, CaseAbsorbed, CaseHandedOver, CaseSplit, CaseWorked
from schemas.case_key import CaseKey
from schemas.case_page import CasePage
from schemas.dead_letter_action import DeadLetterAction
from schemas.decision import Alert, Decision
from schemas.entitlement import Entitlement
from schemas.entity_label import EntityLabel
from schemas.entity_risk import EntityRisk
from schemas.journal import JournalRecord
from schemas.notification import Notification
from schemas.re_review import ReReview

SOURCE = "/tierwatch"

# A change that an old reader cannot live with gets a new number, and the old one is published until nobody reads it.
TYPES: dict[type, str] = {
    Decision: "tierwatch.decision.v1",
    Alert: "tierwatch.alert.v1",
    ReReview: "tierwatch.re_review.v1",
    AccountAction: "tierwatch.account_action.v1",
    Entitlement: "tierwatch.entitlement.v1",
    AuditEntry: "tierwatch.audit_entry.v1",
    JournalRecord: "tierwatch.journal_record.v1",
    CallBackRequest: "tierwatch.call_back_request.v1",
    ApplicationStatus: "tierwatch.application_status.v1",
    Notification: "tierwatch.notification.v1",
    AlertAction: "tierwatch.alert_action.v1",
    Case: "tierwatch.case.v1",
    CaseMember: "tierwatch.case_member.v1",
    CaseKey: "tierwatch.case_key.v1",
    CasePage: "tierwatch.case_page.v1",
    AlertSeen: "tierwatch.alert_seen.v1",
    CaseAbsorbed: "tierwatch.case_absorbed.v1",
    CaseHandedOver: "tierwatch.case_handed_over.v1",
    CaseWorked: "tierwatch.case_worked.v1",
    CaseSplit: "tierwatch.case_split.v1",
    EntityLabel: "tierwatch.entity_label.v1",
    EntityRisk: "tierwatch.entity_risk.v1",
    DeadLetterAction: "tierwatch.dead_letter_action.v1",
}

_FIXED: Final[dict[type, tuple[tuple[str, bytes], ...]]] = {
    kind: (
        ("ce_specversion", b"1.0"),
        ("ce_type", name.encode()),
        ("ce_source", SOURCE.encode()),
        ("content-type", b"application/json"),
    )
    for kind, name in TYPES.items()
}


def fixed(kind: type) -> tuple[tuple[str, bytes], ...]:
    """The headers that all messages of a type share."""
    return _FIXED[kind]


def headers(kind: type, message_id: str, time: str) -> tuple[tuple[str, bytes], ...]:
    """The headers of an outgoing message; `time` is RFC 3339 text: the arrival that gave rise to it."""
    # To add two tuples is half the work of unpacking one into another.
    return _FIXED[kind] + (("ce_id", message_id.encode()), ("ce_time", time.encode()))
