"""What is remembered of one customer's transactions: exact for as long as a window reaches, and no longer.

Entries stand in a log in the order of their arrival. Each lives singly for 73 hours and then folds into the
quarter-hour bucket of its type. Everything else here (who was seen, what expires next, the timelines that answer sums)
is derived from the log and rebuilt when a customer comes back into memory; `history_bytes` says how it is kept.
"""

from bisect import insort
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from pipeline.buckets import Buckets
from pipeline.first_seen import FirstSeen
from pipeline.timeline import Timeline
from pipeline.validate import REVERSAL, Intake
from schemas.decision import Reversal
from schemas.timestamps import MS_PER_HOUR

# By contract an original is known for 48 h. Loaded history may come out of order by a day, hence a day more, and an
# hour so that no reversal can still be ahead of a window that reads the folded bucket.
KNOWN_MS: Final = 48 * MS_PER_HOUR
KEPT_MS: Final = 73 * MS_PER_HOUR
# The longest window is a month of 31 days and an autumn hour, judged a day late, on history a day out of order.
BUCKETS_KEPT_MS: Final = (33 * 24 + 2) * MS_PER_HOUR
CONTENT_BYTES: Final = 4
# Entries of one sealed segment. Up to twice as many stand in the head record, beside everything else: with the longest
# ids that the wire allows, four bytes a character, it is still below 64 KiB.
SEGMENT: Final = 32

# Letting go costs as much for one entry as for a few, so it waits for every second.
_LET_GO_EVERY: Final = 0b1
# Longer than any cool-down may last.
_COOLING_KEPT_MS: Final = 31 * 24 * MS_PER_HOUR

_TYPE: Final = 0b111
_DECLINED: Final = 0b1000
_SOURCE_SHIFT: Final = 4
_encode_content: Final = msgspec.msgpack.Encoder().encode


class Foreign(NamedTuple):
    """What an entry was before conversion: its currency and minor units."""

    currency: str
    amount_minor: int


class History:
    """One customer's remembered transactions. Positions number the entries by arrival and are never reused."""

    def __init__(self) -> None:
        """A customer of whom nothing is known."""
        self.last_arrival_ms = 0
        self.folded_to_ms = 0
        # The first processor's name.
        self.source = ""
        # The log, as columns; the entry at position p stands at index p - first.
        self.first = 0
        self.ids: list[str] = []
        self.times: list[int] = []
        self.amounts: list[int] = []
        self.kinds: list[int] = []
        self.contents = bytearray()  # CONTENT_BYTES for each
        self.originals: dict[int, int] = {}
        self.foreign: dict[int, Foreign] = {}
        # Entries before `sealed` belong to segments of their own, numbered from `first_segment` on; before `written`
        # those segments have been handed out, and none before `first_standing` still stands.
        self.sealed = 0
        self.written = 0
        self.first_segment = 0
        self.first_standing = 0
        # By type, in the order of types.
        self.buckets: dict[int, Buckets] = {}
        # The types whose buckets, being large, stand in records of their own.
        self.apart: frozenset[int] = frozenset()
        self.payees = FirstSeen(64)
        self.devices = FirstSeen(32)
        # Rule number to the arrival and the outcome of its last alert.
        self.cooling: dict[int, tuple[int, int]] = {}
        # Set once remembering has begun, cleared by whoever used it: between the two a bug may have left half.
        self.touched = False
        # Derived. No entry kept singly occurred after `newest_ms`.
        self.newest_ms = 0
        self._where: dict[str, int] = {}
        # The next to expire among those that came in the order of their times, which is that of the log, and the time
        # of the one before; the others wait in a heap.
        self._next = 0
        self._passed_ms = 0
        self._late: list[tuple[int, int]] = []
        self._given: dict[int, int] = {}
        # By original: when each reversal took effect and its minor units; by reversal: what it changed since when.
        self._reversals: dict[int, list[tuple[int, int]]] = {}
        self._steps: dict[int, list[tuple[int, int]]] = {}
        self._timelines: dict[int, Timeline] = {}

    def __len__(self) -> int:
        """How many entries stand in the log."""
        return len(self.ids)

    def timeline(self, mask: int) -> Timeline:
        """The entries of the types in `mask` (bit n stands for the type of index n), ready for sums over windows."""
        timeline = self._timelines.get(mask)
        if timeline is None:
            timeline = self._timelines[mask] = self._build_timeline(mask)
        return timeline

    def seen(self, intake: Intake) -> bool | None:
        """Whether this transaction was seen before: None if not, True if the same, False if with other content."""
        position = self._known(intake.source, intake.transaction_id, intake.arrived_ms)
        if position is None:
            return None
        at = (position - self.first) * CONTENT_BYTES
        return self.contents[at : at + CONTENT_BYTES] == content_of(intake)

    def remember(self, intake: Intake) -> Reversal | None:
        """Put a judged transaction where it belongs in time. For a reversal: what it gave back."""
        self.touched = True
        if not self.first + len(self.ids) & _LET_GO_EVERY:
            self._let_go(min(self.last_arrival_ms, intake.arrived_ms) - KEPT_MS)
        self.last_arrival_ms = intake.arrived_ms
        transaction = intake.transaction
        payee_id, device_id = transaction.payee_id, transaction.device_id
        if payee_id:
            self.payees.see(payee_id, intake.occurred_ms)
        if device_id:
            self.devices.see(device_id, intake.occurred_ms)
        amount = 0 if intake.declined else intake.base_minor
        if intake.occurred_ms <= self.folded_to_ms:
            return self._fold_at_once(intake, amount)
        if intake.type_index == REVERSAL:
            return self._reverse(intake)
        position = self._append(intake, amount)
        if transaction.currency != intake.base_currency:
            self.foreign[position] = Foreign(transaction.currency, intake.amount_minor)
        for mask, timeline in self._timelines.items():
            if mask >> intake.type_index & 1:
                timeline.add(intake.occurred_ms, amount, position)
        return None

    def id_at(self, position: int) -> str:
        """The transaction id of an entry that still stands singly."""
        return self.ids[position - self.first]

    def time_at(self, position: int) -> int:
        """When an entry that still stands singly occurred, epoch ms."""
        return self.times[position - self.first]

    def _append(self, intake: Intake, amount: int) -> int:
        position = self.first + len(self.ids)
        self.source = self.source or intake.source
        source = self._source_number(intake.source)
        self.ids.append(intake.transaction_id)
        self.times.append(intake.occurred_ms)
        self.amounts.append(amount)
        self.kinds.append(intake.type_index | (_DECLINED if intake.declined else 0) | source << _SOURCE_SHIFT)
        self.contents += content_of(intake)
        self._where[_identity(source, intake.transaction_id)] = position
        if intake.occurred_ms < self.newest_ms:
            heappush(self._late, (intake.occurred_ms, position))
        else:
            self.newest_ms = intake.occurred_ms
        if position + 1 - self.sealed >= 2 * SEGMENT:
            self.sealed += SEGMENT
        return position

    def _fold_at_once(self, intake: Intake, amount: int) -> Reversal | None:
        """Count history that is loaded more than a day out of order; it is not known again, and reverses nothing."""
        if intake.type_index == REVERSAL:
            return Reversal("unknown_original", 0)
        self._bucket(intake.type_index).add(intake.occurred_ms, amount, 1)
        for mask, timeline in self._timelines.items():
            if mask >> intake.type_index & 1:
                timeline.add_folded(intake.occurred_ms, amount)
        return None

    def _reverse(self, intake: Intake) -> Reversal:
        """Give back what the original has left, at the original's rate."""
        position = self._append(intake, 0)
        transaction = intake.transaction
        original = self._known(intake.source, transaction.original_transaction_id, intake.arrived_ms)
        if original is None or original == position or self.times[original - self.first] <= self.folded_to_ms:
            return Reversal("unknown_original", 0)
        index = original - self.first
        if self.kinds[index] & _TYPE == REVERSAL or self.kinds[index] & _DECLINED or intake.declined:
            return Reversal("not_reversible", 0)
        whole = self.foreign.get(original) or Foreign(intake.base_currency, self.amounts[index])
        if whole.currency != transaction.currency:
            return Reversal("other_currency", 0)
        since = max(intake.occurred_ms, self.times[index])
        if intake.amount_minor == 0 or self._reversed_by(original, since) >= whole.amount_minor:
            return Reversal("nothing_left", 0)
        self.originals[position] = original
        self.foreign[position] = Foreign(transaction.currency, intake.amount_minor)
        return Reversal("applied", self._give_back(position, original))

    def _reversed_by(self, original: int, moment: int) -> int:
        """Minor units of the reversals that had taken effect by then, the original's own amount or more."""
        return sum([minor for since, minor in self._reversals.get(original, ()) if since <= moment])

    def _give_back(self, position: int, original: int) -> int:
        """Apply the reversal at `position` to all that is derived, and return what it gives back at its own time.

        At every moment the reversals that occurred by then give back their sum, at most the whole. So one that is told
        late takes over, from its own time on, what a later one gave back. Of the whole rather than step by step, so
        that the steps add up to the original, to the minor unit.
        """
        index = original - self.first
        amount, time = self.amounts[index], self.times[index]
        whole = self.foreign[original].amount_minor if original in self.foreign else amount
        since, more = max(time, self.times[position - self.first]), self.foreign[position].amount_minor
        before = self._reversed_by(original, since)
        told = self._reversals.setdefault(original, [])
        steps: list[tuple[int, int]] = []
        changed = 0
        for moment, minor in ((since, 0), *[each for each in told if each[0] > since]):
            before += minor
            change = _share(amount, before + more, whole) - _share(amount, before, whole)
            if change != changed:
                steps.append((moment, change - changed))
                changed = change
        insort(told, (since, more))
        self._given[original] = self._given.get(original, 0) + changed
        self._steps[position] = steps
        type_index = self.kinds[index] & _TYPE
        for mask, timeline in self._timelines.items():
            if mask >> type_index & 1:
                for moment, less in steps:
                    timeline.give_back(time, original, less, moment)
        return steps[0][1] if steps and steps[0][0] == since else 0

    def _let_go(self, horizon: int) -> None:
        """Fold what occurred at or before `horizon` into buckets, oldest first."""
        position = self._expired(horizon)
        if position < 0:
            return
        while position >= 0:
            self._fold(position)
            position = self._expired(horizon)
        self.folded_to_ms = max(self.folded_to_ms, horizon)
        if self.cooling:
            self.cooling = {n: c for n, c in self.cooling.items() if c[0] > horizon - _COOLING_KEPT_MS}
        oldest = horizon - (BUCKETS_KEPT_MS - KEPT_MS)
        for buckets in self.buckets.values():
            buckets.drop(oldest)
        for timeline in self._timelines.values():
            timeline.forget(horizon)
            timeline.drop(oldest)
        self._drop_front()

    def _expired(self, horizon: int) -> int:
        """Take the oldest entry that occurred at or before `horizon` and was not taken before; -1 if there is none."""
        times = self.times
        at = max(self._next - self.first, 0)
        while at < len(times) and times[at] < self._passed_ms:  # it came late
            at += 1
        self._next = self.first + at
        if self._late and (at == len(times) or self._late[0][0] < times[at]):
            return heappop(self._late)[1] if self._late[0][0] <= horizon else -1
        if at == len(times) or times[at] > horizon:
            return -1
        self._passed_ms = times[at]
        self._next += 1
        return self._next - 1

    def _fold(self, position: int) -> None:
        """Put an entry into the bucket of its time, as what reversals left of it; it is not known any more."""
        index = position - self.first
        kind = self.kinds[index]
        identity = _identity(kind >> _SOURCE_SHIFT, self.ids[index])
        if self._where.get(identity) == position:
            del self._where[identity]
        if kind & _TYPE != REVERSAL:
            amount = self.amounts[index]
            if self._given:
                amount -= self._given.pop(position, 0)
                self._reversals.pop(position, None)
            self._bucket(kind & _TYPE).add(self.times[index], amount, 1)

    def _drop_front(self) -> None:
        """Cut off the log's folded front; where segments are sealed, whole segments only."""
        done = 0
        times = self.times
        while done < len(times) and times[done] <= self.folded_to_ms and self._is_reversed(self.first + done):
            done += 1
        if self.sealed > self.first:
            segments = min(done, self.sealed - self.first) // SEGMENT
            self.first_segment += segments
            done = done if segments * SEGMENT == self.sealed - self.first else segments * SEGMENT
        if not done:
            return
        if self.originals or self.foreign:
            for position in range(self.first, self.first + done):
                self.originals.pop(position, None)
                self.foreign.pop(position, None)
                self._steps.pop(position, None)
        del self.ids[:done], self.times[:done], self.amounts[:done], self.kinds[:done]
        del self.contents[: done * CONTENT_BYTES]
        self.first += done
        self.sealed = max(self.sealed, self.first)

    def _is_reversed(self, position: int) -> bool:
        """Whether nothing is left of what this entry, if it is a reversal, reverses."""
        if not self.originals:
            return True
        original = self.originals.get(position, position)
        return original < self.first or self.times[original - self.first] <= self.folded_to_ms

    def _known(self, source: str, transaction_id: str, arrived_ms: int) -> int | None:
        identity = _identity(self._source_number(source), transaction_id)
        position = self._where.get(identity)
        if position is None or arrived_ms - self.times[position - self.first] > KNOWN_MS:
            return None
        return position

    def _source_number(self, source: str) -> int:
        """Nearly every customer has one processor: its name is kept once, of others a digest with each entry."""
        return 0 if source == self.source else crc32(source.encode()) or 1

    def _bucket(self, type_index: int) -> Buckets:
        buckets = self.buckets.get(type_index)
        if buckets is None:
            buckets = self.buckets[type_index] = Buckets()
            self.buckets = dict(sorted(self.buckets.items()))
        return buckets

    def _build_timeline(self, mask: int) -> Timeline:
        timeline = Timeline([buckets for type_index, buckets in self.buckets.items() if mask >> type_index & 1])
        for index, kind in enumerate(self.kinds):
            if mask >> (kind & _TYPE) & 1 and kind & _TYPE != REVERSAL and self.times[index] > self.folded_to_ms:
                timeline.add(self.times[index], self.amounts[index], self.first + index)
        for position, original in self.originals.items():
            if original in self._given and mask >> (self.kinds[original - self.first] & _TYPE) & 1:
                for moment, less in self._steps[position]:
                    timeline.give_back(self.times[original - self.first], original, less, moment)
        return timeline

    def derive(self) -> None:
        """Rebuild what is derived from the log, after the log was read."""
        self._passed_ms = self.folded_to_ms + 1
        for index, time in enumerate(self.times):
            if time <= self.folded_to_ms:
                continue
            self._where[_identity(self.kinds[index] >> _SOURCE_SHIFT, self.ids[index])] = self.first + index
            if time < self.newest_ms:
                self._late.append((time, self.first + index))
            else:
                self.newest_ms = time
        heapify(self._late)
        self._next = self.first
        for position, original in self.originals.items():
            if original >= self.first and self.times[original - self.first] > self.folded_to_ms:
                self._give_back(position, original)


def _share(amount: int, reversed_minor: int, whole_minor: int) -> int:
    """What a reversal of so much of the whole gives back of the amount in base minor units."""
    return amount * min(reversed_minor, whole_minor) // whole_minor if whole_minor else 0


def _identity(source_number: int, transaction_id: str) -> str:
    # Ids hold no control characters, so the two forms cannot meet.
    return transaction_id if source_number == 0 else f"{source_number}\0{transaction_id}"


def content_of(intake: Intake) -> bytes:
    """Digest of what makes two messages of one identity the same transaction: CRC-32, which misses no small change.

    Nothing is won by a collision: neither a duplicate nor a conflicting one is counted.
    """
    t = intake.transaction
    content = (
        t.customer_id, intake.occurred_ms, t.amount, t.currency, t.transaction_type, t.status,
        t.original_transaction_id, intake.original_ms, t.account_id, t.card_token, t.payee_id, t.merchant_id,
        t.terminal_id, t.device_id,
    )  # fmt: skip
    return crc32(_encode_content(content)).to_bytes(CONTENT_BYTES, "big")
