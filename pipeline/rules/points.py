"""More points than an outcome asks for, by the tables of the policy that were calibrated on labels.

False alarms: as many as the calibration allowed for, on the history it saw; what a history of yours makes of it,
`tierwatch backtest` says.

Example: 400.00 is twenty times what this customer usually pays, 540 points, and large for a purchase, 160. The most
leads, a twentieth of the rest is added: 548, and from 500 on a person looks. The alert lists both, so that anybody can
add them up.
"""

from typing import Final

from pipeline.behaviour.features import INDEX, PERIOD
from pipeline.behaviour.live import category_in
from pipeline.plan import Plan
from pipeline.sight import Finding
from pipeline.validate import Intake

_CATEGORY: Final = INDEX["category"]
_PERIOD: Final = INDEX[PERIOD]


def find_points(row: list[float], intake: Intake, plan: Plan, findings: list[Finding]) -> None:
    """Fires from the first outcome of the section on; no tier buys it off.

    `row` are the payment's features; `category` and `period` of it are as they were when this is over.
    """
    points = plan.points
    if points is None:
        return
    row[_CATEGORY] = category_in(points.categories, intake)
    reached = points.reached(row)
    row[_CATEGORY] = row[_PERIOD] = 0.0
    if reached is not None:
        finding = Finding(plan.points_rules[reached.score], reached.points, fires=True, fires_at_base=True)
        finding.limit = reached.limit
        finding.parts = reached.parts
        findings.append(finding)
