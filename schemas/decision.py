"""What tierwatch says about a transaction: a decision always, an alert when a person must see it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.transaction import Timestamp

Outcome = Literal["pass", "challenge", "review", "hold"]
# In rising order: an outcome is compared by its place here.
OUTCOMES: tuple[Outcome, ...] = ("pass", "challenge", "review", "hold")
Severity = Literal["low", "medium", "high", "critical"]
Mode = Literal["off", "shadow", "live"]
# What would be live, and asks for nothing because a suppression was approved for the customer.
SignalMode = Literal[Mode, "suppressed"]
Lane = Literal["standard", "priority"]
LANES: tuple[Lane, ...] = ("standard", "priority")

EVIDENCE_IDS = 10


class Evidence(Struct, frozen=True, omit_defaults=True):
    """The transactions a signal rests on; sums in minor units of the base currency, at most ten ids, newest last."""

    count: int
    sum_minor: int
    first: Timestamp
    last: Timestamp
    transaction_ids: tuple[str, ...]


class PointsPart(Struct, frozen=True):
    """What one table of points gave: its rule, the case in words, the figure that was looked up, the points found.

    Of a model: the feature, its figure, and what that adds, in hundredths of a logit; `(all)` is where it begins.
    """

    rule: str
    case: str
    figure: float
    points: int


class Signal(Struct, frozen=True, omit_defaults=True):
    """A rule that fired. `observed` and `limit` are in the rule's unit: base minor units for amounts, else a count."""

    rule: str
    mode: SignalMode
    severity: Severity
    points: int
    observed: int
    limit: int
    window: str = ""
    retroactive: bool = False
    # The moment at which a late arrival breaks the limit; only on retroactive signals.
    at: str = ""
    evidence: Evidence | None = None
    # What a list names: `payee p-1, device d-2`; only on signals of lists.
    about: str = ""
    # What `observed` is made of; only on the signals `points` and `learned`.
    parts: tuple[PointsPart, ...] = ()


class RetroactiveBreach(Struct, frozen=True):
    """A limit that this late transaction breaks at a moment after its own: decisions already made do not change."""

    rule: str
    at: Timestamp
    observed: int
    limit: int


GivenBack = Literal["applied", "unknown_original", "other_currency", "nothing_left", "not_reversible"]


class Reversal(Struct, frozen=True):
    """What a reversal gave back, in base minor units, and why it gave back nothing."""

    result: GivenBack
    given_back_minor: int


class Decision(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One for each transaction. Values are functions of the journal; ids, of (source, transaction_id, customer_id)."""

    decision_id: str
    transaction_id: str
    source: str
    customer_id: str
    occurred_at: Timestamp
    arrived_at: Timestamp
    outcome: Outcome
    tier: str
    score: Annotated[int, Meta(ge=0, le=109)]
    lane: Lane
    policy_version: int
    policy_hash: str
    signals: tuple[Signal, ...]
    # What would have fired without the tier's privilege; empty for customers at the base tier, who have none.
    base_tier_signals: tuple[Signal, ...]
    retroactive_breach: RetroactiveBreach | None = None
    reversal: Reversal | None = None
    # Every live signal repeats one already alerted: no further alert, re-review request or account action.
    cooled: bool = False
    # The hash of the model that was asked, whatever it said; empty where none was.
    model_version: str = ""


class Alert(Decision, frozen=True, omit_defaults=True, kw_only=True):
    """A decision that a person must see, with what is needed to judge it when the log is gone."""

    alert_id: str
    reasons: tuple[str, ...]
    features: dict[str, int]
    # Of the customer's state as of just before this transaction: BLAKE2b, 16 bytes, hex. Empty where a model alone
    # asked for the alert: it was judged on the figures that stand on its signal.
    state_digest: str
    # The transaction's own: what several customers' alerts may have in common.
    merchant_id: str = ""
    payee_id: str = ""
    device_id: str = ""
