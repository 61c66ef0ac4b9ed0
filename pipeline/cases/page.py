"""What is said of a case to whoever is on call: counts, rules and ids. No customer, no amount, no card."""

from pipeline.cases.case import over_ms
from schemas.case import Case
from schemas.timestamps import format_ms

ALERT_NAME = "TierwatchCase"


def alert_of(case: Case) -> dict[str, object]:
    """The case as Alertmanager takes alerts (API v2). Its labels never change but for its severity, so it is one alert.

    It ends by itself when the case is over; whatever joins moves that on.
    """
    return {
        "labels": {"alertname": ALERT_NAME, "case": case.case_id, "severity": severity(case)},
        "annotations": {
            "summary": f"{case.alerts:,} alert{'' if case.alerts == 1 else 's'} on one customer, up to {case.outcome}",
            "description": f"Since {case.opened_at}: {', '.join(case.rules)}. The last is alert {case.last_alert_id}.",
            "board": "/d/tierwatch-fraud",
        },
        "startsAt": case.opened_at,
        "endsAt": format_ms(over_ms(case)),
    }


def severity(case: Case) -> str:
    """`page` where money is held or a critical rule fired: somebody is woken. `ticket` otherwise."""
    return "page" if case.outcome == "hold" or case.severity == "critical" else "ticket"
