"""What one policy said of a history, kept as far as a rule fired."""

from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from console.backtest.history import Labels
from schemas.decision import Outcome
from schemas.timestamps import MS_PER_DAY, parse_ms

# A decision where no rule fired says so in these words, and need not be read.
_NOTHING_FIRED = b'"signals":[]'


class Fired(Struct, frozen=True):
    """What one policy said of a transaction on which rules fired. `day` counts from 1970, by arrival."""

    tier: str
    day: int
    outcome: Outcome
    alert: bool
    live: tuple[str, ...]
    shadow: tuple[str, ...]
    label: bool | None


@dataclass
class Said:
    """What one policy said, by decision id, which is the same under every policy; and how many decisions there were."""

    fired: dict[str, Fired] = field(default_factory=dict)
    decisions: int = 0
    dead_letters: int = 0


class _Signal(Struct):
    rule: str
    mode: str


class _Decision(Struct):
    decision_id: str
    transaction_id: str
    source: str
    tier: str
    arrived_at: str
    outcome: Outcome
    signals: tuple[_Signal, ...]


class _Alert(Struct):
    decision_id: str


class Heard:
    """Hears decisions and alerts, in any order, and keeps in `said` what they say."""

    def __init__(self, known: Labels) -> None:
        """`known` are the labels of transactions."""
        self.said = Said()
        self._known = known
        self._early: set[str] = set()
        self._decision = Decoder(_Decision).decode
        self._alert = Decoder(_Alert).decode

    def hear(self, topic: str, value: bytes) -> None:
        """Take a message."""
        if topic == "decisions":
            self.said.decisions += 1
            if _NOTHING_FIRED not in value:
                self._fire(self._decision(value))
        elif topic == "alerts":
            decision_id = self._alert(value).decision_id
            fired = self.said.fired.get(decision_id)
            if fired is None:
                self._early.add(decision_id)
            else:
                self.said.fired[decision_id] = replace(fired, alert=True)
        elif topic == "dead-letters":
            self.said.dead_letters += 1

    def _fire(self, decision: _Decision) -> None:
        self.said.fired[decision.decision_id] = Fired(
            decision.tier,
            parse_ms(decision.arrived_at) // MS_PER_DAY,
            decision.outcome,
            decision.decision_id in self._early,
            tuple([signal.rule for signal in decision.signals if signal.mode == "live"]),
            tuple([signal.rule for signal in decision.signals if signal.mode != "live"]),
            self._known.get((decision.source, decision.transaction_id)),
        )
        self._early.discard(decision.decision_id)
