"""Every topic: its key, what it carries, who writes and reads it, and how Kafka keeps it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from schemas.account_action import AccountAction
from schemas.alert_action import AlertAction
from schemas.application_status import ApplicationStatus
from schemas.audit import AuditEntry
from schemas.call_back import CallBackRequest
from schemas.case import Case, CaseMember
from schemas.case_event import AnyCaseEvent
from schemas.case_key import CaseKey
from schemas.case_page import CasePage
from schemas.codec import MAX_BYTES
from schemas.customer_event import CustomerEvent
from schemas.dead_letter_action import DeadLetterAction
from schemas.decision import Alert, Decision
from schemas.disposition import Disposition
from schemas.entitlement import Entitlement
from schemas.entity_label import EntityLabel
from schemas.entity_risk import EntityRisk
from schemas.journal import JournalRecord
from schemas.list_entry import ListEntry
from schemas.model_file import ModelFile
from schemas.notification import Notification
from schemas.policy_event import PolicyEvent
from schemas.rate import Rate
from schemas.re_review import ReReview
from schemas.timestamps import MS_PER_DAY
from schemas.transaction import Transaction

FOREVER_MS = -1
JOURNAL_RETENTION_MS = 7 * MS_PER_DAY
_SEGMENT_BYTES = 64 * 1024 * 1024


class Topic(Struct, frozen=True, kw_only=True):
    """One topic. `message` is a message type or a union of them; None where any bytes may stand."""

    name: str
    what: str
    key: str
    message: Any
    # Co-partitioned by customer with everything else about the customer, or one partition that every worker reads.
    partitions: Literal["by_customer", "single"]
    written_by: str
    read_by: str
    retention_ms: int = FOREVER_MS
    compacted: bool = False
    # Where we judge by arrival, the broker's clock says when it was: a processor's clock may be wrong or lie.
    broker_time: bool = False

    def config(self, *, history: bool = False) -> dict[str, str]:
        """Kafka's topic configuration. With `history`, records carry their own times, and none is too old to keep."""
        compaction = _compaction() if self.compacted else {}
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(FOREVER_MS if history else self.retention_ms),
            "message.timestamp.type": "LogAppendTime" if self.broker_time and not history else "CreateTime",
            "max.message.bytes": str(MAX_BYTES),
            "segment.bytes": str(_SEGMENT_BYTES),
            **compaction,
        }


def changelog_config() -> dict[str, str]:
    """Kafka's configuration of a state table's changelog, written in transactions and read back on recovery.

    Compaction waits until the journal has forgotten too: `verify` needs the states that the journal's records led to.
    """
    return {
        "cleanup.policy": "compact",
        "message.timestamp.type": "CreateTime",
        "max.message.bytes": str(MAX_BYTES),
        "segment.bytes": str(_SEGMENT_BYTES),
        **_compaction(),
    }


def _compaction() -> dict[str, str]:
    return {
        # Only closed segments are compacted: a quiet partition must close its own, or recovery reads it all for ever.
        "segment.ms": str(MS_PER_DAY),
        "min.compaction.lag.ms": str(JOURNAL_RETENTION_MS),
        "min.cleanable.dirty.ratio": "0.1",
        # A worker that slept through a tombstone must still find it when it wakes.
        "delete.retention.ms": str(JOURNAL_RETENTION_MS),
    }


# Who writes what `verify` makes again.
WORKERS = "workers"

_ALL = (
    Topic(
        name="transactions",
        what="Payments, from the transaction processors.",
        key="customer_id",
        message=Transaction,
        partitions="by_customer",
        written_by="processors",
        read_by="workers",
        retention_ms=JOURNAL_RETENTION_MS + MS_PER_DAY,
        broker_time=True,
    ),
    Topic(
        name="transactions-priority",
        what="The same, for customers whose entitlement names the priority lane.",
        key="customer_id",
        message=Transaction,
        partitions="by_customer",
        written_by="processors",
        read_by="workers",
        retention_ms=JOURNAL_RETENTION_MS + MS_PER_DAY,
        broker_time=True,
    ),
    Topic(
        name="customer-events",
        what="What else happens to a customer: applications, evidence, call-backs, admissions, devices, freezes.",
        key="customer_id",
        message=CustomerEvent,
        partitions="by_customer",
        written_by="the bank's systems, `tierwatch`",
        read_by="workers",
        broker_time=True,
    ),
    Topic(
        name="dispositions",
        what="What a transaction or an alert turned out to be.",
        key="customer_id",
        message=Disposition,
        partitions="by_customer",
        written_by="case management",
        read_by="workers",
        broker_time=True,
    ),
    Topic(
        name="policies",
        what="Proposals, approvals and rollbacks of the policy, all of them, read to the end before a worker is ready.",
        key="policy",
        message=PolicyEvent,
        partitions="single",
        written_by="`tierwatch policy`",
        read_by="every worker",
        broker_time=True,
    ),
    Topic(
        name="rates",
        what="Dated exchange rates.",
        key="currency/date",
        message=Rate,
        partitions="single",
        written_by="treasury",
        read_by="every worker",
        compacted=True,
        broker_time=True,
    ),
    Topic(
        name="lists",
        what="Entries of the deny list and the watch list, all of them, read to the end before a worker is ready.",
        key="list/kind/value",
        message=ListEntry,
        partitions="single",
        written_by="`tierwatch lists`",
        read_by="every worker",
        broker_time=True,
    ),
    Topic(
        name="entity-labels",
        what="Labels of payments, on their way to where the payments went.",
        key="kind/value",
        message=EntityLabel,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="workers",
        retention_ms=JOURNAL_RETENTION_MS + MS_PER_DAY,
        broker_time=True,
    ),
    Topic(
        name="entity-risk",
        what="What matured labels teach about terminals, merchants, devices and payees, while it is not neutral.",
        key="kind/value",
        message=EntityRisk,
        partitions="single",
        written_by=WORKERS,
        read_by="every worker",
        compacted=True,
        broker_time=True,
    ),
    Topic(
        name="models",
        what="Models with their cards, all of them; what one may do is said by the policy.",
        key="model",
        message=ModelFile,
        partitions="single",
        written_by="`tierwatch model`",
        read_by="every worker",
        broker_time=True,
    ),
    Topic(
        name="decisions",
        what="One for each transaction; terse when nothing fired.",
        key="customer_id",
        message=Decision,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="anybody",
        retention_ms=30 * MS_PER_DAY,
    ),
    Topic(
        name="alerts",
        what="Decisions that a person must see, with their evidence.",
        key="customer_id",
        message=Alert,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="the security team",
        retention_ms=365 * MS_PER_DAY,
    ),
    Topic(
        name="alert-actions",
        what="What people do with single alerts, by whom and why.",
        key="customer_id",
        message=AlertAction,
        partitions="by_customer",
        written_by="`tierwatch alerts`",
        read_by="`tierwatch alerts`, auditors",
        # As long as the alerts.
        retention_ms=365 * MS_PER_DAY,
    ),
    Topic(
        name="case-events",
        what="Alerts on their way to a case, cases on their way to a campaign, and what people do with them.",
        key="what alerts share, such as merchant:m-7",
        message=AnyCaseEvent,
        partitions="by_customer",
        written_by="`tierwatch pager`, `tierwatch cases`",
        read_by="`tierwatch pager`",
        retention_ms=90 * MS_PER_DAY,
    ),
    Topic(
        name="case-keys",
        what="What the pager remembers of each key; on the partition of the key's events.",
        key="what alerts share, such as merchant:m-7",
        message=CaseKey,
        partitions="by_customer",
        written_by="`tierwatch pager`",
        read_by="`tierwatch pager`",
        compacted=True,
    ),
    Topic(
        name="case-members",
        what="Which alert, or other case, is part of which case, and why.",
        key="case_id",
        message=CaseMember,
        partitions="by_customer",
        written_by="`tierwatch pager`",
        read_by="`tierwatch cases`, the security team",
        retention_ms=365 * MS_PER_DAY,
    ),
    Topic(
        name="cases",
        what="The incidents that alerts make, as they stand; one pager at a time tells of them all.",
        key="case_id",
        message=Case,
        partitions="single",
        written_by="`tierwatch pager`",
        read_by="`tierwatch pager`, the security team",
        compacted=True,
    ),
    Topic(
        name="case-pages",
        what="What whoever is on call has heard of each case, and when; on the partition of the case.",
        key="case_id",
        message=CasePage,
        partitions="single",
        written_by="`tierwatch pager`",
        read_by="`tierwatch pager`",
        compacted=True,
    ),
    Topic(
        name="re-reviews",
        what="Requests to look at a customer's grant again, and their reminders; requests to call an applicant.",
        key="customer_id",
        message=ReReview | CallBackRequest,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="the whitelist's reviewers",
        retention_ms=365 * MS_PER_DAY,
    ),
    Topic(
        name="account-actions",
        what="What the bank's core system is asked to do.",
        key="customer_id",
        message=AccountAction,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="the core system",
        retention_ms=30 * MS_PER_DAY,
    ),
    Topic(
        name="notifications",
        what="What customers are to be told: templates and parameters, no personal data.",
        key="customer_id",
        message=Notification,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="whoever writes to customers",
        retention_ms=30 * MS_PER_DAY,
    ),
    Topic(
        name="application-status",
        what="How far an application is, for the customer.",
        key="customer_id",
        message=ApplicationStatus,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="the customer's app",
        retention_ms=365 * MS_PER_DAY,
    ),
    Topic(
        name="entitlements",
        what="What is in force for a customer now.",
        key="customer_id",
        message=Entitlement,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="processors, the read model",
        compacted=True,
    ),
    Topic(
        name="audit",
        what="Who did what, why, and whether it took effect.",
        key="subject",
        message=AuditEntry,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="auditors",
    ),
    Topic(
        name="journal",
        what="One record for each unit of work: with it and the inputs, an offline run gives the same.",
        key="partition",
        message=JournalRecord,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="`tierwatch verify`",
        retention_ms=JOURNAL_RETENTION_MS,
        broker_time=True,
    ),
    Topic(
        name="dead-letters",
        what="Whatever could not be decided: the original bytes, and headers that say why.",
        key="the original key",
        message=None,
        partitions="by_customer",
        written_by=WORKERS,
        read_by="`tierwatch dlq`",
        retention_ms=90 * MS_PER_DAY,
    ),
    Topic(
        name="dead-letter-actions",
        what="Which dead letters were replayed or discarded, by whom and why.",
        key="partition/offset of the dead letter",
        message=DeadLetterAction,
        partitions="single",
        written_by="`tierwatch dlq`",
        read_by="`tierwatch dlq`, auditors",
        # For ever, as the audit: the chain has its beginning, and no dead letter that is still there is replayed twice.
    ),
)

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})
# What becomes decisions; what a worker reads by customer, and all it reads by key; what every worker reads whole; what
# workers write.
TRANSACTION_TOPICS = ("transactions", "transactions-priority")
CUSTOMER_TOPICS = (*TRANSACTION_TOPICS, "customer-events", "dispositions")
INPUT_TOPICS = (*CUSTOMER_TOPICS, "entity-labels")
SHARED_TOPICS = ("policies", "rates", "lists", "entity-risk", "models")
WORKER_TOPICS = tuple(name for name, topic in TOPICS.items() if topic.written_by == WORKERS)
