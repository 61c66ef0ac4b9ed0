"""An alert as it travels to its case: which keys it asks, in which order, and which of them keeps it in the end."""

from typing import Final, get_args

from pipeline.policy.model import Policy
from schemas.case_event import AlertSeen
from schemas.decision import OUTCOMES, Alert, Severity, Signal
from schemas.timestamps import format_ms, parse_ms

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
# In the order in which they are asked whether a campaign of theirs has the alert.
ENTITIES: Final = ("merchant", "payee", "device")
MOST_RULES: Final = 10


def seen_of(alert: Alert, policy: Policy, now_ms: int) -> AlertSeen:
    """The alert, for the first of its keys: at most four are asked. `now_ms` is when it is read, epoch milliseconds."""
    live = [signal for signal in alert.signals if signal.mode == "live"]
    worst = max(live, key=lambda signal: SEVERITIES.index(signal.severity), default=None)
    rules = tuple(dict.fromkeys(signal.rule for signal in live))[:MOST_RULES]
    ids = {"merchant": alert.merchant_id, "payee": alert.payee_id, "device": alert.device_id}
    entities = tuple(f"{kind}:{ids[kind]}" for kind in ENTITIES if ids[kind])
    first, *path = *entities, _home(alert, ids, policy, worst.rule if worst else "")
    return AlertSeen(
        key=first,
        path=tuple(path),
        entities=entities,
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        at=alert.occurred_at,
        read_at=format_ms(now_ms),
        outcome=alert.outcome,
        severity=_severity(alert, worst),
        rules=rules,
        queue=_queue(policy, alert.tier),
        delayed=now_ms - parse_ms(alert.occurred_at) > policy.cases.delayed_ms,
    )


def _severity(alert: Alert, worst: Signal | None) -> Severity:
    # Where money is held nothing may wait, whatever the rule is called.
    if alert.outcome == OUTCOMES[-1]:
        return SEVERITIES[-1]
    return worst.severity if worst else SEVERITIES[0]


def _home(alert: Alert, ids: dict[str, str], policy: Policy, rule: str) -> str:
    """The key that keeps it when no campaign does: what its worst rule correlates by, where it has that."""
    kind = policy.rules[rule].correlate if rule in policy.rules else "customer"
    shared = ids.get(kind, "")
    return f"{kind}:{shared}" if shared else f"customer:{alert.customer_id}"


def _queue(policy: Policy, tier: str) -> str:
    # A tier that a newer policy has renamed is served like the base tier.
    channels = {each.name: each.service_channel for each in policy.tiers}
    return channels.get(tier, policy.tiers[0].service_channel)
