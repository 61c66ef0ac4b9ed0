"""What a topic should hold against what it holds: only what does not agree takes memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

from pipeline.record import Headers, Message
from schemas import dead_letter, stages

Kind = Literal["missing", "unexpected", "differs", "order", "state", "not_taken", "taken_twice", "journal"]
_LONGEST = 200
_OF_THE_WORKER = frozenset((dead_letter.WORKER_VERSION, *stages.NAMES))


class Difference(NamedTuple):
    """One thing that is not as the journal makes it. `offset` is where it stands, None for what stands nowhere."""

    kind: Kind
    topic: str
    partition: int
    offset: int | None
    key: str
    detail: str


class Written(NamedTuple):
    """All of a message that is a function of the journal."""

    key: bytes | None
    value: bytes | None
    headers: Headers


class Ledger:
    """One partition of an output topic.

    `compacted`: Kafka may have taken what a later record of the same key supersedes. `ordered`: only the owner of the
    partition's number writes here, so the order is one truth with the journal.
    """

    def __init__(self, topic: str, number: int, *, compacted: bool, ordered: bool) -> None:
        self.topic = topic
        self.number = number
        self.agreed = 0
        self._compacted = compacted
        self._ordered = ordered
        # Owed: expected and not found so far; over: found and not expected so far, with its offsets.
        self._owed: dict[Written, int] = {}
        self._over: dict[Written, list[int]] = {}
        self._newest: dict[bytes | None, Written] = {}
        self._displaced: int | None = None

    def compare(self, expected: Sequence[Message], found: Sequence["Found"]) -> None:
        """Take what the journal makes next, and what stands next in the topic."""
        for want, have in zip_longest(map(_written, expected), found):
            if want is not None and self._compacted:
                self._newest[want.key] = want
            if want is not None and have is not None and want == have.written:
                self.agreed += 1
                continue
            if have is not None:
                self._find(have)
            if want is not None:
                self._expect(want)

    def _expect(self, want: Written) -> None:
        offsets = self._over.get(want)
        if offsets is None:
            self._owed[want] = self._owed.get(want, 0) + 1
            return
        self._match(offsets.pop(0))
        if not offsets:
            del self._over[want]

    def _find(self, have: "Found") -> None:
        owed = self._owed.get(have.written)
        if owed is None:
            self._over.setdefault(have.written, []).append(have.offset)
            return
        self._match(have.offset)
        if owed == 1:
            del self._owed[have.written]
        else:
            self._owed[have.written] = owed - 1

    def _match(self, offset: int) -> None:
        self.agreed += 1
        self._displaced = offset if self._displaced is None else min(offset, self._displaced)

    def differences(self, settled: int) -> Iterator[Difference]:
        """Return what does not agree; offsets from `settled` on were written by units that were not run."""
        owed = {_id(want): want for want in self._owed if not self._compacted or self._newest.get(want.key) == want}
        over = [(offset, have) for have, offsets in self._over.items() for offset in offsets if offset < settled]
        for offset, have in sorted(over, key=lambda each: each[0]):
            want = owed.pop(_id(have), None)
            detail = "no unit of the journal makes it" if want is None else _told(want, have)
            yield self._difference("unexpected" if want is None else "differs", offset, have, detail)
        for want in owed.values():
            yield self._difference("missing", None, want, f"the journal makes it: {_shown(want.value)}")
        if self._ordered and not self._compacted and self._displaced is not None and not (owed or over):
            yield Difference("order", self.topic, self.number, self._displaced, "", "the journal's order is another")

    def _difference(self, kind: Kind, offset: int | None, what: Written, detail: str) -> Difference:
        return Difference(kind, self.topic, self.number, offset, (what.key or b"").decode("utf-8", "replace"), detail)


class Found(NamedTuple):
    """A record of the topic."""

    offset: int
    written: Written


def found(records: Iterable[Any]) -> list[Found]:
    """Return records of a Kafka client as what is compared of them."""
    return [Found(record.offset, Written(record.key, record.value, _of_journal(record.headers))) for record in records]


def _written(message: Message | None) -> Written | None:
    return None if message is None else Written(message.key, message.value, _of_journal(message.headers))


def _of_journal(headers: Headers) -> Headers:
    """Leave out which code set a record aside, and when an alert was in hand: those are no functions of the journal."""
    return tuple(each for each in headers if each[0] not in _OF_THE_WORKER)


def _id(written: Written) -> tuple[bytes, ...]:
    """Return what makes two versions of one message the same message."""
    said = dict(written.headers)
    if "ce_id" in said:
        return (said["ce_id"],)
    return tuple(said.get(name, b"") for name in (dead_letter.TOPIC, dead_letter.PARTITION, dead_letter.OFFSET))


def _told(want: Written, have: Written) -> str:
    """Say where two versions of a message part."""
    if want.value != have.value:
        made, there = _fields(want.value), _fields(have.value)
        names = [name for name in {**made, **there} if made.get(name) != there.get(name)]
        if names:
            shown = [f"{name} is {there.get(name)!r}, the journal makes {made.get(name)!r}" for name in names]
            return "; ".join(shown)[:_LONGEST]
        return f"holds {_shown(have.value)}, the journal makes {_shown(want.value)}"
    names = sorted({name for name, _ in {*want.headers} ^ {*have.headers}})
    return f"other headers: {', '.join(names)}" if names else "another key"


def _fields(value: bytes | None) -> dict[str, Any]:
    """Return the fields of a message of ours; a dead letter's bytes may be anything."""
    try:
        fields = json.loads(value or b"")
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _shown(value: bytes | None) -> str:
    return "a tombstone" if value is None else value[:_LONGEST].decode("utf-8", "replace")
