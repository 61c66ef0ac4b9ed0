"""What a decision asks for beyond being told: an alert, a review, an action on the account."""

from pipeline.ids import derived_id
from pipeline.messages import message
from pipeline.plan import Plan
from pipeline.policy.model import Action
from pipeline.record import Message
from pipeline.signals import cause_of, reasons_of
from pipeline.validate import Intake
from schemas.account_action import AccountAction
from schemas.decision import Alert, Decision
from schemas.re_review import ReReview
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms

# A review for cause is due a day after its alert; it demotes nobody by itself, so it has no grace.
FOR_CAUSE_DUE_MS = MS_PER_DAY


def asked_for(  # noqa: PLR0917 - each is a step of the assessment
    key: bytes, intake: Intake, decision: Decision, plan: Plan, action: Action, features: dict[str, int], digest: str
) -> list[Message]:
    """What the decision's outcome asks for by the policy's table; `features` and `digest` are what it was judged on."""
    arrived, cause = decision.arrived_at, cause_of(decision.signals)
    messages: list[Message] = []
    alert_id = ""
    if action.alert:
        alert_id = derived_id("alert", decision.decision_id)
        alert = Alert(
            **{name: getattr(decision, name) for name in Decision.__struct_fields__},
            alert_id=alert_id,
            reasons=reasons_of(decision.signals, plan.policy, decision.tier),
            features=features,
            state_digest=digest,
            merchant_id=intake.merchant_id,
            payee_id=intake.payee_id,
            device_id=intake.device_id,
        )
        messages.append(message("alerts", key, alert, alert_id, arrived))
    if action.re_review:
        request = ReReview(
            request_id=derived_id("re_review", decision.decision_id),
            kind="request",
            customer_id=decision.customer_id,
            tier=decision.tier,
            why=cause,
            check=tuple(dict.fromkeys([signal.rule for signal in decision.signals if signal.mode == "live"])),
            requested_at=arrived,
            due_at=format_ms(parse_ms(arrived) + FOR_CAUSE_DUE_MS),
            decision_id=decision.decision_id,
            alert_id=alert_id,
        )
        messages.append(message("re-reviews", key, request, request.request_id, arrived))
    if action.account_action:
        request_action = AccountAction(
            action_id=derived_id(action.account_action, decision.decision_id),
            action=action.account_action,
            customer_id=decision.customer_id,
            because=cause,
            requested_at=arrived,
            decision_id=decision.decision_id,
        )
        messages.append(message("account-actions", key, request_action, request_action.action_id, arrived))
    return messages
