"""The pipeline alone, with its states in memory and a stopwatch around it."""

import time
from collections.abc import Sequence

from pipeline.books import Books
from pipeline.learned.onlooker import LookedAt, Onlooker
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import Message, Record


class Alone:
    """One partition that is all there is. Times are CPU seconds of this process: other programs do not count."""

    def __init__(self, policy: Policy, cached_customers: int = 20_000) -> None:
        self.windows: dict[bytes, bytes] = {}
        self.dossiers: dict[bytes, bytes] = {}
        self.cpu_seconds = self.states_cpu_seconds = 0.0
        self.each_cpu_seconds: list[float] = []  # by batch, of one record
        self.written_bytes = 0
        self.largest_record_bytes = 0
        self.books = Books(PolicyBook(policy), Rates())
        self._partition = Partition(0, None, self.books, self.windows.get, self.dossiers.get, cached_customers)

    def take(self, records: Sequence[Record]) -> list[Message]:
        """Judge one batch and hand over the changed states; only this is timed."""
        begun = time.process_time()
        messages = self._partition.take(records)
        judged = time.process_time()
        changes = self._partition.changes()
        ended = time.process_time()
        self.states_cpu_seconds += ended - judged
        self.cpu_seconds += ended - begun
        self.each_cpu_seconds.append((ended - begun) / max(len(records), 1))
        for changed, states in ((changes.windows, self.windows), (changes.dossiers, self.dossiers)):
            for key, state in changed.items():
                if state is None:
                    states.pop(key, None)
                else:
                    states[key] = state
                    self.written_bytes += len(state)
                    self.largest_record_bytes = max(self.largest_record_bytes, len(state))
        return messages

    def show(self, onlooker: Onlooker) -> None:
        """Show somebody what a model is asked about, instead of asking one."""
        self.books.models = LookedAt()
        self._partition.show(onlooker)

    def restart_watch(self) -> None:
        """Measure from here on."""
        self.cpu_seconds = self.states_cpu_seconds = 0.0
        self.each_cpu_seconds = []
        self.written_bytes = 0
