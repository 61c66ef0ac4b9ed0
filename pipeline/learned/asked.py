"""The model of the policy in force, and what it says of the payments of a unit of work: all in one call.

It never feeds what payments are judged on: they were judged and remembered before it is asked, and the cool-down of its
own alerts stands apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from pipeline.asked_for import asked_for
from pipeline.behaviour.features import FEATURES
from pipeline.learned.cooling import Cooling
from pipeline.learned.drift import Drift
from pipeline.learned.model import WHOLE, Model
from pipeline.learned.waiting import Waiting
from pipeline.messages import message
from pipeline.plan import Plan
from pipeline.points.steps import Step, step_of
from pipeline.policy.learned import LEARNED_RULE
from pipeline.policy.model import Action
from pipeline.record import Message
from pipeline.validate import Intake
from pipeline.verdict import score_of
from schemas.decision import OUTCOMES, Decision, Evidence, PointsPart, Severity, Signal, SignalMode

_SEVERITIES: tuple[Severity, ...] = ("low", "low", "medium", "high")
_decision = msgspec.json.Decoder(Decision).decode


class Batch:
    """The payments of a unit of work that a model is to be asked about, each with its features as of just before it.

    `rows` are the features of each, (payments, features).
    """

    def __init__(self, waiting: list[Waiting]) -> None:
        """Take them, at least one."""
        self.waiting = waiting
        packed = b"".join([each.intake.row for each in waiting])
        self.rows: npt.NDArray[np.float32] = np.frombuffer(packed, dtype=np.float32).reshape(-1, len(FEATURES))

    def say(
        self, messages: list[Message], drift: Drift, cooling: Cooling, digest_before: Callable[[bytes], str]
    ) -> tuple[list[Message], list["Said"]]:
        """The unit's messages, changed where the model has something to say, and what that was.

        `digest_before` gives the digest of a customer's state as it was last written.
        """
        rows = self.rows
        instead: dict[int, list[Message]] = {}
        said: list[Said] = []
        weigh = _Weighing(messages, cooling, digest_before)
        for asked in self._by_model():
            model, places = asked.model, asked.places
            own = rows[places] if len(places) < len(rows) else rows
            thousandths = model.thousandths(own)
            drift.see(model, own, thousandths)
            for number in np.flatnonzero(thousandths >= asked.least).tolist():
                at, found = places[number], int(thousandths[number])
                step = step_of(self.waiting[at].plan.learned_steps, found)
                if step is not None:
                    said.append(weigh.again(self.waiting[at], model, rows[at], found, step))
                    instead[self.waiting[at].place] = said[-1].messages
        return (_with(messages, self.waiting, instead) if instead else messages), said

    def _by_model(self) -> list["_Asked"]:
        """A policy with another model may have come into force within the unit."""
        found: dict[str, _Asked] = {}
        plan: Plan | None = None
        places: list[int] = []
        for at, each in enumerate(self.waiting):
            # Nearly all of a unit have the same plan.
            if each.plan is not plan and each.plan.model is not None:
                plan, model = each.plan, each.plan.model
                asked = found.setdefault(model.card.sha256, _Asked(model))
                asked.least = min([asked.least, *[step.since for step in plan.learned_steps]])
                places = asked.places
            places.append(at)
        return list(found.values())


class _Asked:
    """A model, the payments that it is asked about, and from how many thousandths on it has something to say."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.places: list[int] = []
        self.least = WHOLE


class Said(NamedTuple):
    """What came of a payment: the outcome's rank before and after, and the messages instead of those of before."""

    plan: Plan
    tier: int
    mode: SignalMode
    before: int
    after: int
    messages: list[Message]


def _with(messages: list[Message], waiting: list[Waiting], instead: dict[int, list[Message]]) -> list[Message]:
    gone = {
        each.place + more
        for each in waiting
        if each.place in instead and each.judged is not None
        for more in range(1, 1 + len(each.judged.further))
    }
    found: list[Message] = []
    for at, one in enumerate(messages):
        found += instead.get(at, () if at in gone else (one,))
    return found


class _Weighing:
    """Decisions made anew, with the model's signal; what each asks for follows anew where the outcome rises."""

    def __init__(self, messages: list[Message], cooling: Cooling, digest_before: Callable[[bytes], str]) -> None:
        self._messages = messages
        self._cooling = cooling
        self._digest_before = digest_before

    def again(self, each: Waiting, model: Model, row: npt.NDArray[np.float32], thousandths: int, step: Step) -> Said:
        plan, judged = each.plan, each.judged
        decision = _decision(self._messages[each.place].value or b"") if judged is None else judged.decision
        signal = _signal(decision, each.intake, plan, model.parts(row), thousandths, step)
        signals = (*decision.signals, signal)
        outcome = before = OUTCOMES.index(decision.outcome)
        score, action, cooled = decision.score, Action(), decision.cooled
        if judged is not None:
            action = judged.action
        if signal.mode == "live":
            score = score_of([one.points for one in signals if one.mode == "live"])
            outcome = max(before, plan.outcome_of_score[score], plan.outcome_of_score[signal.points])
            if outcome > before:
                action, cooled = self._action(each, outcome, action)
        new = replace(decision, signals=signals, outcome=OUTCOMES[outcome], score=score, cooled=cooled)
        features = {LEARNED_RULE: thousandths} if judged is None else {**judged.features, LEARNED_RULE: thousandths}
        digest = self._digest(each) if action.alert else ""
        first = message("decisions", each.key, new, new.decision_id, new.arrived_at)
        further = asked_for(each.key, each.intake, new, plan, action, features, digest)
        return Said(plan, each.intake.tier, signal.mode, before, outcome, [first, *further])

    def _action(self, each: Waiting, outcome: int, of_rules: Action) -> tuple[Action, bool]:
        """What the raised outcome asks for, and whether that was asked for already, by the model itself."""
        plan, arrived_ms = each.plan, each.intake.arrived_ms
        action = plan.actions[outcome]
        if action == Action() or arrived_ms < plan.warm_until_ms:
            return Action(), False
        cool_down_ms = 0 if plan.policy.learned is None else plan.policy.learned.cool_down_ms
        if self._cooling.cools(each.key, arrived_ms, outcome, cool_down_ms):
            # What rules ask for, who have not asked before, is asked for all the same.
            return of_rules, of_rules == Action()
        return action, False

    def _digest(self, each: Waiting) -> str:
        """Of the state as of just before the payment: the rules' alert has it, or it was made, or is made now."""
        of_rules = "" if each.judged is None else each.judged.digest
        return of_rules or each.intake.digest or self._digest_before(each.key)


def _signal(
    decision: Decision, intake: Intake, plan: Plan, parts: tuple[PointsPart, ...], thousandths: int, step: Step
) -> Signal:
    points, at = step.score(thousandths), decision.occurred_at
    return Signal(
        rule=LEARNED_RULE,
        mode="shadow" if plan.policy.learned is None else plan.policy.learned.mode,
        severity=_SEVERITIES[plan.outcome_of_score[points]],
        points=points,
        observed=thousandths,
        limit=step.since,
        evidence=Evidence(1, intake.base_minor, at, at, (intake.transaction_id,)),
        parts=parts,
    )
