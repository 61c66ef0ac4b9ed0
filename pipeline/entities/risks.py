"""Terminals, merchants, devices and payees that matured labels speak against, as every worker knows them."""

from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.validate import Intake
from schemas.entity_risk import ENTITY_KINDS, FULL_WEIGHT, EntityRisk
from schemas.timestamps import MS_PER_DAY, parse_ms

# What of a streak no worker knows: its evidence, its smallest ratio.
_ELSEWHERE: Final = (0.0, -1.0)


@mypyc_attr(acyclic=True)
class Risk:
    """What labels say of one entity until `until_ms`; `frauds`, `labelled`, `streak` in hundredths of a payment."""

    __slots__ = ("began_ms", "cleared_ms", "customers", "frauds", "kind", "labelled", "streak", "until_ms", "value")

    def __init__(self, said: EntityRisk) -> None:
        """Keep what is asked of each payment there."""
        self.kind = said.kind
        self.value = said.value
        self.until_ms = parse_ms(said.until)
        self.frauds = said.frauds
        self.labelled = said.labelled
        self.customers = said.customers
        self.streak = said.streak
        self.began_ms = _ms(said.streak_since)
        self.cleared_ms = _ms(said.cleared_at)

    def look(self, at_ms: int) -> list[float]:
        """The features of a payment there at a moment; `pipeline.entities.place` says what each of them is."""
        return [
            self.streak / FULL_WEIGHT,
            *_ELSEWHERE,
            _days(self.began_ms, at_ms),
            _days(self.cleared_ms, at_ms),
            self.frauds / FULL_WEIGHT / (self.labelled / FULL_WEIGHT + 2.0),
            self.labelled / FULL_WEIGHT,
        ]


class Risks:
    """All entities that are not neutral; the same records in the same order give the same risks."""

    __slots__ = ("devices", "known", "merchants", "payees", "terminals")

    def __init__(self) -> None:
        """Nothing is known against anybody."""
        self.terminals: dict[str, Risk] = {}
        self.merchants: dict[str, Risk] = {}
        self.devices: dict[str, Risk] = {}
        self.payees: dict[str, Risk] = {}
        # Whether anything is: else no payment need ask.
        self.known = False

    def apply(self, said: EntityRisk) -> None:
        """Take what is said now of an entity."""
        self._of(said.kind)[said.value] = Risk(said)
        self.known = True

    def forget(self, key: str) -> None:
        """The entity of this key, `kind/value`, is neutral again."""
        kind, _, value = key.partition("/")
        if kind in _KINDS:
            self._of(kind).pop(value, None)
            self.known = bool(self.terminals or self.merchants or self.devices or self.payees)

    def concerns(self, intake: Intake) -> bool:
        """Whether anything is known, ended or not, of where a payment is made, with what, or to whom."""
        return self.known and (
            intake.terminal_id in self.terminals
            or intake.merchant_id in self.merchants
            or intake.device_id in self.devices
            or intake.payee_id in self.payees
        )

    def place(self, intake: Intake) -> Risk | None:
        """What is known of where a payment is made: its terminal, or its merchant where it names none."""
        terminal = intake.terminal_id
        risk = self.terminals.get(terminal) if terminal else self.merchants.get(intake.merchant_id)
        return risk if risk is not None and intake.arrived_ms < risk.until_ms else None

    def counts(self) -> dict[str, int]:
        """How many of each kind are not neutral."""
        return {kind: len(self._of(kind)) for kind in ENTITY_KINDS}

    def _of(self, kind: str) -> dict[str, Risk]:
        if kind == "terminal":
            return self.terminals
        if kind == "merchant":
            return self.merchants
        return self.devices if kind == "device" else self.payees


def _ms(timestamp: str | None) -> int:
    return -1 if timestamp is None else parse_ms(timestamp)


def _days(since_ms: int, at_ms: int) -> float:
    return -1.0 if since_ms < 0 else max(0.0, (at_ms - since_ms) / MS_PER_DAY)


_KINDS: Final = frozenset(ENTITY_KINDS)
