"""One partition's terminals, merchants, devices and payees: labels in, and what every worker must know of them out."""

from collections.abc import Iterable
from typing import Final

from pipeline.beside import Beside
from pipeline.entities.ledger import Finding, Ledger, learn, look, matured, next_ms
from pipeline.entities.ledger_bytes import PREFIX, decode, encode
from pipeline.ids import derived_id
from pipeline.labels.verdict import LABELS
from pipeline.messages import message
from pipeline.record import Message, Record
from pipeline.tally import Tally
from pipeline.validate import Rejected, check_key
from pipeline.whitelist.review_clock import ReviewClock
from schemas import cloudevents
from schemas.codec import Undecodable, decode_entity_label
from schemas.entity_label import EntityLabel
from schemas.entity_risk import ENTITY_KINDS, EntityKind, EntityRisk
from schemas.timestamps import format_ms

_KINDS: Final[dict[str, EntityKind]] = {kind: kind for kind in ENTITY_KINDS}


class Entities:
    """Keeps the ledgers; the clock says which must be looked at again by itself, for labels mature and days pass."""

    def __init__(self, beside: Beside, tally: Tally) -> None:
        """Know nothing yet."""
        self.clock = ReviewClock()
        self._beside = beside
        self._tally = tally

    def restore(self, states: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the clock by what stands beside the dossiers, after a recovery."""
        ledgers = ((key, decode(state)) for key, state in states if key.startswith(PREFIX))
        self.clock = ReviewClock((key[len(PREFIX) :].decode(), next_ms(ledger)) for key, ledger in ledgers)

    def take(self, record: Record, partitions: int | None) -> list[Message] | Rejected:
        """A label for one entity: what is to be told of it now, or why it is none."""
        try:
            said = decode_entity_label(record.value or b"").message
            rejected = check_key(record, said.key, partitions)
            return rejected or self._learn(said, record.timestamp)
        except Undecodable as error:
            return Rejected(error.reason, error.detail)

    def tick(self, clock_ms: int, most: int) -> tuple[list[Message], int]:
        """Look at those that are due, `most` of them; what is to be told, and how many were looked at."""
        due = self.clock.take_due(clock_ms, most)
        messages: list[Message] = []
        for name in due:
            messages += self._look(name, decode(self._beside.get(PREFIX + name.encode())), clock_ms)
        return messages, len(due)

    def _learn(self, said: EntityLabel, arrival_ms: int) -> list[Message]:
        return self._look(said.key, learn(decode(self._beside.get(PREFIX + said.key.encode())), said), arrival_ms)

    def _look(self, name: str, ledger: Ledger, at_ms: int) -> list[Message]:
        at_ms = max(at_ms, ledger.looked_ms)
        kind, _, value = name.partition("/")
        for each in matured(ledger, at_ms):
            self._tally.count("entity_labels", kind, LABELS[each.label])
        seen = look(ledger, at_ms)
        self._beside.put(PREFIX + name.encode(), encode(seen))
        self.clock.put(name, next_ms(seen))
        return [] if seen.told == ledger.told else [_told(_KINDS[kind], value, seen.told, at_ms)]


def _told(kind: EntityKind, value: str, found: Finding, at_ms: int) -> Message:
    at = format_ms(at_ms)
    risk = EntityRisk(
        kind=kind,
        value=value,
        at=at,
        until=format_ms(found.until_ms),
        frauds=found.frauds,
        labelled=found.labelled,
        customers=found.customers,
        streak=found.streak,
        streak_since=_when(found.began_ms),
        cleared_at=_when(found.cleared_ms),
    )
    key = risk.key.encode()
    told = derived_id(risk.key, at_ms, *found)
    if found.is_neutral:
        return Message("entity-risk", key, None, cloudevents.headers(EntityRisk, told, at))
    return message("entity-risk", key, risk, told, at)


def _when(at_ms: int) -> str | None:
    return None if at_ms < 0 else format_ms(at_ms)
