"""What follows from a change: what the core system is asked for, what is in force, what the customer is told."""

from msgspec.structs import replace

from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.whitelist.call_back import attempt_id, code
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.outgoing import Outgoing, action, entitled, notified, told
from pipeline.whitelist.status import application_status
from pipeline.whitelist.tiers import tier_told
from schemas.account_action import AccountAction, Action, Because
from schemas.application_status import ApplicationStatus, Step
from schemas.audit import AuditEntry
from schemas.notification import Notification, Template
from schemas.timestamps import format_ms

# Where the bank's messages to a customer go; a code goes where the customer has to log in.
_CHANNELS = ("app", "email")
_CODE_CHANNELS = ("app",)
# Why the core system is asked, by what happened; what customers are not told of, they are not told by us.
BECAUSE: dict[str, Because] = {
    "admission.approved": "admission_approved",
    "account.frozen": "account_frozen",
    "account.unfrozen": "account_unfrozen",
    "customer.denied": "customer_denied",
    "tier.suspended": "tier_suspended",
    "tier.reinstated": "tier_reinstated",
    "tier.removed": "tier_removed",
    "screening.completed": "screening_completed",
    "limit.change_requested": "limit_changed",
    "limit.change_approved": "limit_changed",
    "allowance.ended": "temporary_limit_ended",
    "review.demoted": "review_overdue",
    "grant.expired": "grant_expired",
}
_TIER_IS_TOLD = frozenset({"admission.approved", "tier.removed", "review.demoted", "grant.expired"})
_TEMPLATES: dict[Step, Template] = {
    "being_assessed": "application_received",
    "supplements_needed": "supplements_needed",
    "call_back_due": "call_back_due",
    "granted": "application_decided",
    "declined": "application_decided",
    "withdrawn": "application_closed",
    "lapsed": "application_closed",
}


def follows(
    entry: AuditEntry, before: Dossier, after: Dossier, policy: Policy, at_ms: int, was_ms: int
) -> tuple[Outgoing, ...]:
    """For whatever holds otherwise: account actions, then the entitlements, as of the entry.

    `was_ms` is just before the change, `at_ms` just after it: what changes later, by itself, has an entry of its own.
    """
    customer_id = entry.subject
    old = entitlement(customer_id, before, policy, was_ms)
    new = replace(entitlement(customer_id, after, policy, at_ms), as_of=entry.at)
    outgoing: list[Outgoing] = []
    if old.tier != new.tier:
        outgoing.append(_asked(entry, "tier_change", old.tier, new.tier))
    elif old.limits != new.limits:
        outgoing.append(_asked(entry, "limit_change"))
    if old.frozen != new.frozen:
        outgoing.append(_asked(entry, "freeze" if new.frozen else "unfreeze"))
    if replace(old, as_of=new.as_of) != new:
        outgoing.append(entitled(new, entry.entry_id))
    was, now = tier_told(before, policy, was_ms).name, tier_told(after, policy, at_ms).name
    if was != now and entry.what in _TIER_IS_TOLD:
        outgoing.append(notify(entry, "tier_changed", {"tier_from": was, "tier_to": now}))
    return tuple(outgoing)


def tells(
    cause: AuditEntry, before: Dossier, after: Dossier, policy: Policy, conduct: Conduct, at_ms: int
) -> tuple[Outgoing, ...]:
    """How far the application is, where that is otherwise now, and a message to the customer about it."""
    was = application_status(cause.subject, before, policy, conduct, at_ms)
    now = application_status(cause.subject, after, policy, conduct, at_ms)
    if now is None or now == was:
        return ()
    template = _TEMPLATES.get(now.step)
    # That it is assessed again is no news to the customer.
    if template is None or (now.step == "being_assessed" and was is not None and _is_same(was, now)):
        return (told(now, cause.entry_id),)
    return told(now, cause.entry_id), notify(cause, template, _parameters(cause.subject, now, after))


def _is_same(was: ApplicationStatus, now: ApplicationStatus) -> bool:
    return was.application_id == now.application_id


def _parameters(customer_id: str, status: ApplicationStatus, dossier: Dossier) -> dict[str, str]:
    parameters = {"application_id": status.application_id, "tier": status.tier, "step": status.step}
    if status.needed:
        parameters |= {"needed": ", ".join(need.what for need in status.needed), "by": status.needed[0].by}
    if status.step == "call_back_due" and dossier.application is not None and status.next_by is not None:
        attempt = attempt_id(customer_id, dossier.application)
        parameters |= {"code": code(attempt, dossier), "until": status.next_by}
    return parameters


def notify(cause: AuditEntry, template: Template, parameters: dict[str, str]) -> Outgoing:
    """A message to the customer."""
    return notified(
        Notification(
            notification_id=derived_id(cause.entry_id, template),
            customer_id=cause.subject,
            template=template,
            parameters=parameters,
            channels=_CODE_CHANNELS if "code" in parameters else _CHANNELS,
            requested_at=cause.at,
        )
    )


def _asked(entry: AuditEntry, what: Action, tier_from: str = "", tier_to: str = "") -> Outgoing:
    request = AccountAction(
        action_id=derived_id(entry.entry_id, what),
        action=what,
        customer_id=entry.subject,
        # Whatever else lowers a tier suspends it: a withdrawal, evidence or a call that the approval did not know of.
        because=BECAUSE.get(entry.what, "tier_suspended" if what == "tier_change" else "limit_changed"),
        requested_at=entry.at,
        event_id=entry.event_id,
        tier_from=tier_from,
        tier_to=tier_to,
    )
    return action(request)


def entry_of(  # noqa: PLR0917 - what an entry says
    customer_id: str, what: str, actor: str, at_ms: int, event_id: str, detail: str, due_ms: int | None = None
) -> AuditEntry:
    """The audit entry of a change that was made; one that was due keeps its id, whenever somebody looked."""
    moment_ms = at_ms if due_ms is None else due_ms
    return AuditEntry(
        entry_id=derived_id(customer_id, event_id, what, moment_ms, "audit"),
        subject=customer_id,
        what=what,
        actor=actor,
        result="applied",
        at=format_ms(at_ms),
        event_id=event_id,
        detail=detail,
    )
