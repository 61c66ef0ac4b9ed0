"""What the whitelist says: a message with its topic and id, before anybody decides how it is carried."""

from typing import NamedTuple

from pipeline.ids import derived_id
from schemas.account_action import AccountAction
from schemas.application_status import ApplicationStatus
from schemas.audit import AuditEntry
from schemas.call_back import CallBackRequest
from schemas.entitlement import Entitlement
from schemas.notification import Notification
from schemas.re_review import ReReview


class Outgoing(NamedTuple):
    """One message to publish under the customer's key; `time` is the arrival or tick that gave rise to it, RFC 3339."""

    topic: str
    body: AccountAction | ApplicationStatus | AuditEntry | CallBackRequest | Entitlement | Notification | ReReview
    message_id: str
    time: str


def action(body: AccountAction) -> Outgoing:
    """A request to the bank's core system."""
    return Outgoing("account-actions", body, body.action_id, body.requested_at)


def audited(body: AuditEntry) -> Outgoing:
    """An entry of the audit."""
    return Outgoing("audit", body, body.entry_id, body.at)


def entitled(body: Entitlement, cause: str) -> Outgoing:
    """What is in force from now on; `cause` is the id of the audit entry that says why."""
    return Outgoing("entitlements", body, derived_id(cause, "entitlement"), body.as_of)


def call(body: CallBackRequest) -> Outgoing:
    """A request to call an applicant."""
    return Outgoing("re-reviews", body, derived_id(body.attempt_id, "request"), body.requested_at)


def told(body: ApplicationStatus, cause: str) -> Outgoing:
    """How far an application is; `cause` is the id of what changed it."""
    return Outgoing("application-status", body, derived_id(cause, "status"), body.as_of)


def notified(body: Notification) -> Outgoing:
    """A message to the customer."""
    return Outgoing("notifications", body, body.notification_id, body.requested_at)


def reviewed(body: ReReview) -> Outgoing:
    """A request for a review, or its reminder."""
    return Outgoing("re-reviews", body, derived_id(body.request_id, body.kind, body.requested_at), body.requested_at)
