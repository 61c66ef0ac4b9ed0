"""What is remembered of one customer's transactions: exact for as long as a window reaches, and no longer.

Entries stand in a log in the order of their arrival. Each lives singly for 73 hours and then folds into the
quarter-hour bucket of its type. Everything else here (what expires next, what is left of the limits, the timelines that
answer sums) is derived from them and rebuilt when a customer comes back into memory; `history_bytes` says how it is
kept.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.behaviour.lessons import Lessons
from pipeline.behaviour.payment import category_of
from pipeline.behaviour.profile import Profile
from pipeline.buckets import Buckets
from pipeline.expiry import Expiry
from pipeline.first_seen import FirstSeen
from pipeline.headroom import Headroom
from pipeline.log import Log, amount_of, counts_for, is_declined, type_of
from pipeline.reversals import Reversals
from pipeline.timeline import Timeline
from pipeline.validate import REVERSAL, Intake
from schemas.decision import Reversal
from schemas.timestamps import MS_PER_HOUR

# By contract an original, and whatever could come twice, is known for 48 h. Loaded history may come out of order by a
# day, hence a day more, and an hour so that no reversal can still be ahead of a window that reads the folded bucket.
KNOWN_MS: Final = 48 * MS_PER_HOUR
KEPT_MS: Final = 73 * MS_PER_HOUR
# The longest window is a month of 31 days and an autumn hour, judged a day late, on history a day out of order.
BUCKETS_KEPT_MS: Final = (33 * 24 + 2) * MS_PER_HOUR
# Letting go costs nearly as much for one entry as for a few, so it waits for every fourth.
_LET_GO_EVERY: Final = 0b11
# Longer than any cool-down may last.
_COOLING_KEPT_MS: Final = 31 * 24 * MS_PER_HOUR


@mypyc_attr(acyclic=True)
class History:
    """One customer's remembered transactions."""

    __slots__ = (
        "_expiry", "_next_untold", "_timelines", "_timelines_folded_to_ms", "apart", "buckets", "cooling", "devices",
        "folded_to_ms", "headroom", "last_arrival_ms", "lessons", "log", "newest_ms", "payees", "reversals", "settled",
        "touched",
    )  # fmt: skip

    def __init__(self) -> None:
        """A customer of whom nothing is known."""
        self.last_arrival_ms = 0
        self.folded_to_ms = 0
        self.log = Log()
        self.reversals = Reversals()
        # By type, in the order of types.
        self.buckets: dict[int, Buckets] = {}
        # The types whose buckets, being large, stand in records of their own.
        self.apart: frozenset[int] = frozenset()
        self.payees = FirstSeen(64)
        self.devices = FirstSeen(32)
        self.lessons = Lessons()
        # Rule number to the arrival and the outcome of its last alert.
        self.cooling: dict[int, tuple[int, int]] = {}
        # Set once remembering has begun, cleared by whoever used it: between the two a bug may have left half.
        self.touched = False
        # All that does not change with every transaction, as it is written; empty where it has changed since.
        self.settled = b""
        # Derived. No entry kept singly occurred after `newest_ms`.
        self.newest_ms = 0
        self.headroom = Headroom()
        self._expiry = Expiry()
        # By mask; entries from `_next_untold` on have not been told to them yet, nor what was folded since then.
        self._timelines: dict[int, Timeline] = {}
        self._timelines_folded_to_ms = 0
        self._next_untold = 0

    @property
    def profile(self) -> Profile:
        """What is usual for the customer, of all that was remembered."""
        return self.lessons.profile

    def timeline(self, mask: int) -> Timeline:
        """The entries of the types in `mask` (bit n stands for the type of index n), ready for sums over windows."""
        if self._next_untold < self.log.end:
            self._tell_timelines()
        self._fold_timelines()
        timeline = self._timelines.get(mask)
        if timeline is None:
            timeline = self._timelines[mask] = self._build_timeline(mask)
        return timeline

    def is_newest(self, occurred_ms: int) -> bool:
        """Whether nothing that is remembered occurred later."""
        return occurred_ms >= self.newest_ms and occurred_ms > self.folded_to_ms

    def seen(self, intake: Intake) -> bool | None:
        """Whether this transaction was seen before: None if not, True if the same, False if with other content."""
        position = self._known(intake.source, intake.transaction_id, intake.arrived_ms)
        return None if position < 0 else self.log.holds(position, intake)

    def remember(self, intake: Intake) -> Reversal | None:
        """Put a judged transaction where it belongs in time. For a reversal: what it gave back."""
        self.touched = True
        log = self.log
        if not log.end & _LET_GO_EVERY:
            self._let_go(min(self.last_arrival_ms, intake.arrived_ms) - KEPT_MS)
        self.last_arrival_ms = intake.arrived_ms
        occurred_ms = intake.occurred_ms
        if not intake.declined:  # or a thief, refused once, would soon be paid by an old acquaintance
            payee_id = intake.payee_id
            if payee_id:
                self.see_payee(payee_id, occurred_ms)
            device_id = intake.device_id
            if device_id:
                self.see_device(device_id, occurred_ms)
        if intake.type_index == REVERSAL:
            return self._reverse(intake)
        amount = 0 if intake.declined else intake.base_minor
        self.headroom.take(amount)
        if occurred_ms <= self.folded_to_ms:
            self._fold_at_once(intake.type_index, occurred_ms, amount)
            return None
        position = self._append(intake, amount)
        if intake.currency != intake.base_currency:
            self.reversals.foreign[position] = intake.currency, intake.amount_minor
            self.settled = b""
        return None

    def learn(self, intake: Intake) -> None:
        """Teach the profile what was remembered; what was declined is no habit."""
        if intake.declined:
            return
        kind, location = intake.type_index, intake.location
        category = category_of(kind, intake.mcc, intake.channel)
        located = None if location is None else (location.lat, location.lon)
        self.lessons.add(intake.occurred_ms, intake.base_minor, kind, category, intake.country, located)

    def see_payee(self, payee_id: str, occurred_ms: int) -> None:
        """Note that the customer paid to, or named, a payee."""
        if self.payees.see(payee_id, occurred_ms):
            self.settled = b""

    def see_device(self, device_id: str, occurred_ms: int) -> None:
        """Note that the customer used, or registered, a device."""
        if self.devices.see(device_id, occurred_ms):
            self.settled = b""

    def cool(self, cooling: dict[int, tuple[int, int]]) -> None:
        """Note the cool-downs that have begun: rule number to arrival and outcome."""
        self.cooling.update(cooling)
        self.settled = b""

    def _known(self, source: str, transaction_id: str, arrived_ms: int) -> int:
        """The position of a transaction that is known at an arrival, -1 if it is not."""
        position = self.log.find(source, transaction_id)
        if position >= 0:
            time = self.log.time(position)
            if time <= self.folded_to_ms or arrived_ms - time > KNOWN_MS:
                return -1
        return position

    def _append(self, intake: Intake, amount: int) -> int:
        sealed = self.log.sealed
        position = self.log.append(intake, amount)
        if self.log.sealed != sealed or position == 0:
            self.settled = b""
        if intake.occurred_ms < self.newest_ms:
            self._expiry.came_late(intake.occurred_ms, position)
        else:
            self.newest_ms = intake.occurred_ms
        return position

    def _reverse(self, intake: Intake) -> Reversal:
        """Give back what the original has left, at the original's rate."""
        if intake.occurred_ms <= self.folded_to_ms:
            return Reversal("unknown_original", 0)
        position = self._append(intake, 0)
        log = self.log
        original = self._known(intake.source, intake.original_transaction_id, intake.arrived_ms)
        if original in {-1, position}:
            return Reversal("unknown_original", 0)
        time, counted = log.time(original), log.counts(original)
        if type_of(counted) == REVERSAL or is_declined(counted) or intake.declined:
            return Reversal("not_reversible", 0)
        currency, whole = self.reversals.foreign.get(original) or (intake.base_currency, amount_of(counted))
        if currency != intake.currency:
            return Reversal("other_currency", 0)
        since = max(intake.occurred_ms, time)
        if intake.amount_minor == 0 or self.reversals.reversed_by(original, since) >= whole:
            return Reversal("nothing_left", 0)
        self.reversals.add(position, original, (intake.currency, intake.amount_minor))
        self.settled = b""
        steps = self._give_back(position, original)
        return Reversal("applied", steps[0][1] if steps and steps[0][0] == since else 0)

    def _give_back(self, position: int, original: int) -> list[tuple[int, int]]:
        """Apply the reversal at `position` to all that is derived."""
        steps = self.reversals.apply(self.log, position, original)
        time, counted = self.log.time(original), self.log.counts(original)
        self._tell_timelines()
        for mask, timeline in self._timelines.items():
            if counts_for(counted, mask):
                for moment, less in steps:
                    timeline.give_back(time, original, less, moment)
        return steps

    def _let_go(self, horizon: int) -> None:
        """Fold what occurred at or before `horizon` into buckets, oldest first."""
        expired = self._expiry.take(self.log, horizon)
        if not expired:
            return
        for position in expired:
            if position >= self._next_untold:
                self._tell_timelines()
            self._fold(position)
        self.folded_to_ms = max(self.folded_to_ms, horizon)
        self.settled = b""
        if self.cooling:
            self.cooling = {n: c for n, c in self.cooling.items() if c[0] > horizon - _COOLING_KEPT_MS}
        oldest = horizon - (BUCKETS_KEPT_MS - KEPT_MS)
        for buckets in self.buckets.values():
            buckets.drop(oldest)
        self._drop_front()

    def _fold(self, position: int) -> None:
        """Put an entry into the bucket of its time, as what reversals left of it; it is not known any more."""
        counted = self.log.counts(position)
        if type_of(counted) != REVERSAL:
            amount = amount_of(counted)
            if self.reversals.originals:
                amount -= self.reversals.close(position)
            self._bucket(type_of(counted)).add(self.log.time(position), amount, 1)

    def _fold_at_once(self, type_index: int, occurred_ms: int, amount: int) -> None:
        """Count history that is loaded more than a day out of order; it is not known again."""
        self._fold_timelines()
        self._bucket(type_index).add(occurred_ms, amount, 1)
        self.settled = b""
        for mask, timeline in self._timelines.items():
            if mask >> type_index & 1:
                timeline.add_folded(occurred_ms, amount)

    def _drop_front(self) -> None:
        """Cut off the log's front: what is folded, unless it still reverses something."""
        log = self.log
        first = position = log.first
        while position < log.end and log.time(position) <= self.folded_to_ms and not self._still_reverses(position):
            position += 1
        log.cut(position - first)
        self.reversals.forget(first, log.first)

    def _still_reverses(self, position: int) -> bool:
        original = self.reversals.originals.get(position, -1) if self.reversals.originals else -1
        return original >= self.log.first and self.log.time(original) > self.folded_to_ms

    def _bucket(self, type_index: int) -> Buckets:
        buckets = self.buckets.get(type_index)
        if buckets is None:
            buckets = self.buckets[type_index] = Buckets()
            self.buckets = dict(sorted(self.buckets.items()))
        return buckets

    def _tell_timelines(self) -> None:
        """Add what was remembered since they were last asked: most are asked once for many entries."""
        log = self.log
        untold = log.entries[self._next_untold - log.first :]
        for mask, timeline in self._timelines.items():
            for entry in untold:
                if counts_for(entry.counted, mask):
                    timeline.add(entry.time, amount_of(entry.counted), entry.position)
        self._next_untold = log.end

    def _fold_timelines(self) -> None:
        """Let them fold what is folded here; many entries at once cost them hardly more than one."""
        folded_to_ms = self.folded_to_ms
        if folded_to_ms != self._timelines_folded_to_ms:
            self._timelines_folded_to_ms = folded_to_ms
            for timeline in self._timelines.values():
                timeline.forget(folded_to_ms)
                timeline.drop(folded_to_ms - (BUCKETS_KEPT_MS - KEPT_MS))

    def _build_timeline(self, mask: int) -> Timeline:
        timeline = Timeline([buckets for type_index, buckets in self.buckets.items() if mask >> type_index & 1])
        log = self.log
        for entry in log.entries:
            if entry.time > self.folded_to_ms and counts_for(entry.counted, mask):
                timeline.add(entry.time, amount_of(entry.counted), entry.position)
        for position, original in self.reversals.originals.items():
            if original >= log.first:
                time, counted = log.time(original), log.counts(original)
                if time > self.folded_to_ms and counts_for(counted, mask):
                    for moment, less in self.reversals.steps(position):
                        timeline.give_back(time, original, less, moment)
        return timeline

    def derive(self) -> None:
        """Rebuild what is derived from the log, after the log was read.

        Raises:
            ValueError: it is not a log.

        """
        log = self.log
        log.derive()
        self._expiry.resume(log.first, self.folded_to_ms)
        for entry in log.entries:
            time = entry.time
            if time > self.folded_to_ms:
                if time < self.newest_ms:
                    self._expiry.came_late(time, entry.position)
                else:
                    self.newest_ms = time
        for position, original in self.reversals.originals.items():
            if original >= log.first and log.time(original) > self.folded_to_ms:
                self._give_back(position, original)
