"""The payments of a customer about which something was asked: what is needed when somebody says what they were."""

from typing import Final, NamedTuple

from pipeline.behaviour.spikes import Spikes
from pipeline.ids import decision_stem, derived_id
from pipeline.labels.verdict import NOTHING_SAID, Verdict
from pipeline.validate import Intake
from schemas.decision import OUTCOMES, Decision

# So many of a customer's newest are remembered. Rules cool down, so it takes long to ask so often.
MOST: Final = 16


class Asked(NamedTuple):
    """A payment: `payment` tells it from others, `paid_ms` is when it occurred, `outcome` a rank in OUTCOMES.

    `rules` are those that fired live; `entities` where it went: terminal, merchant, device, payee,
    empty for none. `spike`: its amount alone was far above what its customer usually pays.
    """

    payment: bytes
    paid_ms: int
    outcome: int
    rules: tuple[str, ...]
    entities: tuple[str, str, str, str]
    verdict: Verdict = NOTHING_SAID
    spike: bool = False


def payment_digest(alert_id: str) -> bytes:
    """Names a payment by what its alert's id is, or would be: so both names of a payment lead to the same."""
    return bytes.fromhex(derived_id("payment", alert_id)[:16])


def alert_id_of(source: str, transaction_id: str, customer_id: str) -> str:
    """The id of the alert on a transaction, whether or not there is one."""
    return derived_id("alert", decision_stem(source, customer_id) + transaction_id)


def asked_of(intake: Intake, decision: Decision, spikes: Spikes) -> Asked:
    """What is remembered of a payment whose decision asks for something; `spikes` are its customer's."""
    return Asked(
        payment_digest(derived_id("alert", decision.decision_id)),
        intake.occurred_ms,
        OUTCOMES.index(decision.outcome),
        tuple(dict.fromkeys(each.rule for each in decision.signals if each.mode == "live")),
        (intake.terminal_id, intake.merchant_id, intake.device_id, intake.payee_id),
        spike=spikes.has(intake.occurred_ms),
    )


def remember(known: tuple[Asked, ...], asked: Asked) -> tuple[Asked, ...]:
    """With one more, the one asked longest ago forgotten where there are too many."""
    return (*(each for each in known if each.payment != asked.payment), asked)[-MOST:]
