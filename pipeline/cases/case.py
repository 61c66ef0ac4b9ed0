"""How alerts become cases: all of one customer's until it has been quiet for some hours.

A function of the alerts in their order, so whoever reads the topic again makes the same cases with the same ids.
"""

from typing import Final, get_args

from pipeline.ids import derived_id
from schemas.case import Case
from schemas.decision import OUTCOMES, Alert, Severity
from schemas.timestamps import MS_PER_HOUR, parse_ms

# After so long without an alert the next one is another incident.
QUIET_MS: Final = 4 * MS_PER_HOUR
MOST_RULES: Final = 10
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


def join(case: Case | None, alert: Alert) -> Case:
    """The customer's case with this alert in it: `case`, or a new one where there is none or it is over."""
    if case is None or is_over(case, parse_ms(alert.arrived_at)):
        return _opened(alert)
    rules = case.rules + tuple(rule for rule in _rules(alert) if rule not in case.rules)
    return Case(
        case_id=case.case_id,
        correlation=case.correlation,
        customer_id=case.customer_id,
        opened_at=case.opened_at,
        last_alert_at=max(case.last_alert_at, alert.arrived_at),
        alerts=case.alerts + 1,
        outcome=max(case.outcome, alert.outcome, key=OUTCOMES.index),
        severity=max(case.severity, _severity(alert), key=_SEVERITIES.index),
        rules=rules[:MOST_RULES],
        first_alert_id=case.first_alert_id,
        last_alert_id=alert.alert_id,
    )


def is_over(case: Case, now_ms: int) -> bool:
    """Whether it has been quiet for so long that what comes now is another incident; `now_ms` is an arrival."""
    return now_ms >= over_ms(case)


def over_ms(case: Case) -> int:
    """When it will be over if nothing more comes, epoch milliseconds."""
    return parse_ms(case.last_alert_at) + QUIET_MS


def _opened(alert: Alert) -> Case:
    return Case(
        case_id=derived_id("case", "customer", alert.customer_id, alert.alert_id),
        correlation="customer",
        customer_id=alert.customer_id,
        opened_at=alert.arrived_at,
        last_alert_at=alert.arrived_at,
        alerts=1,
        outcome=alert.outcome,
        severity=_severity(alert),
        rules=_rules(alert)[:MOST_RULES],
        first_alert_id=alert.alert_id,
        last_alert_id=alert.alert_id,
    )


def _rules(alert: Alert) -> tuple[str, ...]:
    return tuple(dict.fromkeys(signal.rule for signal in alert.signals if signal.mode == "live"))


def _severity(alert: Alert) -> Severity:
    live = [signal.severity for signal in alert.signals if signal.mode == "live"]
    return max(live, key=_SEVERITIES.index, default=_SEVERITIES[0])
