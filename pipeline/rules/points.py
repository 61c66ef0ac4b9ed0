"""Points: the policy's tables, calibrated on labels, give more to this payment than an outcome of theirs asks for."""

from pipeline.behaviour.live import is_payment, row_of
from pipeline.history import History
from pipeline.plan import Plan
from pipeline.sight import Finding
from pipeline.validate import Intake


def find_points(history: History, intake: Intake, plan: Plan, findings: list[Finding]) -> None:
    """Fires from the first outcome of the section on; no tier buys it off."""
    points = plan.points
    if points is None or not is_payment(intake):
        return
    reached = points.reached(row_of(history, intake, points.categories, rhythm=points.rhythm))
    if reached is not None:
        finding = Finding(plan.points_rules[reached.score], reached.points, fires=True, fires_at_base=True)
        finding.limit = reached.limit
        finding.parts = reached.parts
        findings.append(finding)
