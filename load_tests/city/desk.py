"""The bank's desk in the life of one customer: it publishes what happens, and reads what the whitelist asks for."""

from random import Random
from typing import Any, Final

import msgspec

from load_tests.city.approvers import Approvers
from load_tests.city.event import Event
from load_tests.city.mint import Mint
from load_tests.city.people import Resident
from pipeline.policy.model import Policy, Tier
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import EMPTY
from pipeline.whitelist.life import Applied, Refusal, apply
from schemas.call_back import CallBackRequest
from schemas.codec import decode_customer_event
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms

_GATHERER = "simulated-desk"
_NOTICE = "2026-1"
# Nobody's windows find anything in payments of that size, in minor units of the base currency.
_SMALL = (500, 6_000)
# Event type and facts of each kind of evidence, where nothing speaks against the customer.
_EVIDENCE: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "identity": ("identity.verified", {"method": "video", "document_kind": "passport"}),
    "screening": ("screening.completed", {"result": "clear", "list_version": "2026-1"}),
    "credit": ("credit.assessed", {"bureau": "simulated-bureau", "score": 1_000, "delinquencies": 0}),
    "source_of_funds": ("source_of_funds.verified", {"source": "salary"}),
}


class RefusedError(Exception):
    """The policy does not let this life take that step."""


class Desk:
    """One customer's case. It knows the whitelist's answer to each event by running the same table as the worker.

    So a city is made without a broker, and whatever a worker refuses of it is a fault.
    """

    def __init__(self, rng: Random, mint: Mint, approvers: Approvers, policy: Policy, who: Resident) -> None:
        self.policy = policy
        self.who = who
        self.events: list[Event] = []
        self._rng = rng
        self._mint = mint
        self._approvers = approvers
        self._dossier = EMPTY
        self._asked: CallBackRequest | None = None
        self._application = ""
        self._paid_ms: list[int] = []

    def say(self, at_ms: int, event_type: str, *, actor: str = "", approvals: int = 0, **fields: object) -> None:
        """Publish an event, signed by as many people as `approvals`.

        Raises:
            RefusedError: the whitelist would refuse it.

        """
        self._say(at_ms, event_type, fields, actor, approvals)

    def _say(self, at_ms: int, event_type: str, fields: dict[str, object], actor: str = "", approvals: int = 0) -> None:
        body: dict[str, Any] = {
            "event_type": event_type,
            "event_id": self._mint.next_id(),
            "customer_id": self.who.customer_id,
            "occurred_at": format_ms(at_ms),
            "actor": actor or _GATHERER,
            **fields,
        }
        value = self._approvers.sign(body, approvals) if approvals else msgspec.json.encode(body)
        decoded = decode_customer_event(value)
        conduct = Conduct(sum(at_ms - 30 * MS_PER_DAY < paid_ms <= at_ms for paid_ms in self._paid_ms))
        outcome = apply(decoded.message, decoded.fields, self._dossier, self.policy, at_ms, conduct)
        if isinstance(outcome, Refusal):
            raise RefusedError(f"{event_type}: {outcome.reason}")
        if isinstance(outcome, Applied):
            self._dossier = outcome.dossier
            calls = [one.body for one in outcome.outgoing if isinstance(one.body, CallBackRequest)]
            self._asked = calls[-1] if calls else self._asked
        self.events.append(Event(at_ms, "customer-events", self.who.customer_id.encode(), value))

    def pay(self, until_ms: int, tier: Tier, *, least: int = 0) -> None:
        """Pay small sums, evenly over the 20 days until then, as often as the tier asks for, and at least so often."""
        count = max(least, tier.criteria.transactions_30d if tier.criteria is not None else 0)
        for number in range(count):
            at_ms = until_ms - 20 * MS_PER_DAY * (count - number) // count
            self._paid_ms.append(at_ms)
            amount = self._rng.randrange(*_SMALL)
            self.events.append(self._mint.payment(self._rng, self.who, at_ms, "purchase", amount))

    def apply_for(self, at_ms: int, tier: Tier, limits: dict[str, int] | None = None) -> None:
        """Ask for a tier, with a number to call that is old enough."""
        self._application = self._mint.next_id()
        self.say(
            at_ms,
            "application.submitted",
            actor=self.who.customer_id,
            application_id=self._application,
            tier=tier.name,
            consent={"notice_version": _NOTICE, "given_at": format_ms(at_ms)},
            limits=limits or {},
        )

    def file(self, at_ms: int, kind: str, **facts: object) -> None:
        """File evidence of a kind, good enough for any tier unless `facts` say otherwise."""
        event_type, usual = _EVIDENCE[kind]
        filed = {"reference": f"file-{self._mint.next_id()}", "issued_at": format_ms(at_ms)}
        self._say(at_ms, event_type, {**filed, **usual, **facts})

    def file_all(self, at_ms: int, tier: Tier) -> None:
        """File whatever the tier asks for, an hour apart."""
        if tier.criteria is None:
            return
        for number, kind in enumerate(tier.criteria.evidence):
            self.file(at_ms + number * MS_PER_HOUR, kind)

    def answer(self, at_ms: int, result: str = "match") -> None:
        """Call the customer about what the whitelist asks; every answer is a `result`."""
        asked = self._call()
        answers = [{"question_id": question.question_id, "result": result} for question in asked.questions]
        self.say(at_ms, "callback.answered", attempt_id=asked.attempt_id, answers=answers)

    def miss(self, at_ms: int) -> None:
        """Call, and reach nobody."""
        self.say(at_ms, "callback.missed", attempt_id=self._call().attempt_id)

    def about_application(self, at_ms: int, event_type: str, *, approvals: int = 0, reason_code: str = "") -> None:
        """Publish what somebody decided about the open application."""
        self.say(at_ms, event_type, approvals=approvals, application_id=self._application, reason_code=reason_code)

    def approve(self, at_ms: int, tier: Tier, *, renewal: bool = False, more: int = 0) -> None:
        """Grant a tier on what is on file, for as long as the policy lets it last."""
        if tier.review is None:
            raise RefusedError(f"{tier.name} cannot be granted")
        evidence = [
            {"kind": filed.kind, "reference": filed.reference, "issued_at": format_ms(filed.issued_ms)}
            for filed in self._dossier.file
        ]
        decides = {} if renewal else {"application_id": self._application}
        self.say(
            at_ms,
            "admission.approved",
            approvals=tier.approvals + more,
            tier=tier.name,
            evidence=evidence,
            review_at=format_ms(at_ms + min(tier.review.every_ms, tier.grant_ms - MS_PER_HOUR)),
            expires_at=format_ms(at_ms + tier.grant_ms),
            **decides,
        )
        self.who.tier = tier

    def admit(self, at_ms: int, tier: Tier) -> None:
        """All that leads to a tier where nothing goes wrong, within two days before `at_ms`."""
        self.pay(at_ms - 2 * MS_PER_DAY, tier)
        self.apply_for(at_ms - 2 * MS_PER_DAY, tier)
        self.file_all(at_ms - 2 * MS_PER_DAY + MS_PER_HOUR, tier)
        self.answer(at_ms - MS_PER_DAY)
        self.approve(at_ms, tier)

    def _call(self) -> CallBackRequest:
        if self._asked is None:
            raise RefusedError("nobody asked for a call")
        return self._asked
