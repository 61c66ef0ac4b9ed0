"""History judged under each policy at once: what each of them would have said of every transaction."""

import multiprocessing
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.garbage import collect_seldom
from console.backtest.heard import Heard, Said
from console.backtest.history import Labels, Share, labels, records
from console.backtest.taught import taught
from console.offline import Offline
from pipeline.ids import decision_stem
from pipeline.policy.model import Policy
from pipeline.record import InputRecord
from schemas.codec import Undecodable, decode_transaction
from schemas.timestamps import MS_PER_DAY, parse_ms
from schemas.topics import SHARED_TOPICS

# Outputs do not depend on it; a customer's state is written once for all records of a batch.
_BATCH = 20_000
_NEVER_MS = 1 << 62
_TRANSACTION = re.compile(rb'"transaction_id"\s*:\s*"([^"\\]*)"')


@dataclass
class Judged:
    """A history: what each policy said, the money of the frauds by decision id (base minor units), and its days."""

    said: list[Said]
    frauds: dict[str, int]
    transactions: int = 0
    first_ms: int = 1 << 62
    last_ms: int = 0

    @property
    def days(self) -> float:
        """How long the history is, at least a day."""
        return max(1.0, (self.last_ms - self.first_ms) / MS_PER_DAY)


def run(files: list[str], format_: str, policies: Sequence[Policy], parts: int) -> Judged:
    """Judge a history in so many processes, each with customers of its own: what comes out is the same for any number.

    Raises:
        CommandError: a file cannot be read.

    """
    risks = taught(files, format_, policies)
    if parts == 1:
        return judge(files, format_, policies, risks, Share(0, 1))
    tasks = [(files, format_, policies, risks, Share(part, parts)) for part in range(parts)]
    # Forked: which pipeline runs, the compiled or the pure one, is settled already.
    with multiprocessing.get_context("fork").Pool(parts, initializer=collect_seldom) as pool:
        return merged(pool.starmap(judge, tasks))


def judge(
    files: list[str], format_: str, policies: Sequence[Policy], risks: Sequence[Sequence[InputRecord]], share: Share
) -> Judged:
    """Judge the records of some customers; `risks` is what each policy knows of entities, by the time it was told."""
    known = labels(files, format_, share)
    sides = [_Side(policy, known, told) for policy, told in zip(policies, risks, strict=True)]
    judged = Judged([side.heard.said for side in sides], {})
    money = Money(policies[0], known, sides[0].pipeline)
    moments = sorted({record.timestamp for told in risks for record in told})
    for batch in _batches(records(files, format_, share), moments):
        if batch[0].topic in SHARED_TOPICS:
            for side in sides:
                side.pipeline.books.take(batch[0])
            continue
        for side in sides:
            side.take(batch)
        times = [record.timestamp for record in batch if record.topic.startswith("transactions")]
        if times:
            judged.transactions += len(times)
            judged.first_ms, judged.last_ms = min(judged.first_ms, *times), max(judged.last_ms, *times)
        money.take(batch)
    judged.frauds = money.frauds
    return judged


def merged(parts: Sequence[Judged]) -> Judged:
    """What several processes found, whose customers are different ones."""
    whole = Judged([Said() for _ in parts[0].said], {})
    for part in parts:
        for said, more in zip(whole.said, part.said, strict=True):
            said.fired |= more.fired
            said.decisions += more.decisions
            said.dead_letters += more.dead_letters
        whole.frauds |= part.frauds
        whole.transactions += part.transactions
        whole.first_ms, whole.last_ms = min(whole.first_ms, part.first_ms), max(whole.last_ms, part.last_ms)
    return whole


def _batches(source: Iterator[InputRecord], moments: Sequence[int] = ()) -> Iterator[list[InputRecord]]:
    """Records of customers in batches, none across one of these times; one that is for all stands alone."""
    batch: list[InputRecord] = []
    left = iter(moments)
    until_ms = next(left, _NEVER_MS)
    for record in source:
        if record.timestamp >= until_ms:
            if batch:
                yield batch
            batch = []
            while record.timestamp >= until_ms:
                until_ms = next(left, _NEVER_MS)
        if record.topic in SHARED_TOPICS:
            if batch:
                yield batch
            yield [record]
            batch = []
            continue
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Side:
    """One policy, and what it says."""

    def __init__(self, policy: Policy, known: Labels, risks: Sequence[InputRecord]) -> None:
        self.heard = Heard(known)
        self.pipeline = Offline(policy)
        self._risks = deque(risks)

    def take(self, batch: list[InputRecord]) -> None:
        """Judge a batch, with what was told of entities by then, and keep what fired."""
        while self._risks and self._risks[0].timestamp <= batch[0].timestamp:
            self.pipeline.books.take(self._risks.popleft())
        for message in self.pipeline.take(batch):
            self.heard.hear(message.topic, message.value or b"")


class Money:
    """What the frauds of a history were worth."""

    def __init__(self, policy: Policy, known: Labels, pipeline: Offline) -> None:
        self.frauds: dict[str, int] = {}
        self._ids = {transaction_id.encode() for (_, transaction_id), fraud in known.items() if fraud}
        self._known = known
        self._policy = policy
        self._rates = pipeline.books.rates

    def take(self, batch: list[InputRecord]) -> None:
        """Note the frauds of a batch; without a rate one is worth nothing here, and a dead letter there."""
        if not self._ids:
            return
        for record in batch:
            found = _TRANSACTION.search(record.value or b"")
            # An id with an escape in it is looked at in full.
            if found is None or found[1] in self._ids:
                self._note(record)

    def _note(self, record: InputRecord) -> None:
        if not record.topic.startswith("transactions"):
            return
        try:
            said, _ = decode_transaction(record.value or b"")
        except Undecodable:
            return
        if self._known.get((said.source, said.transaction_id)):
            policy = self._policy
            worth = self._rates.convert(
                said.amount, said.currency, parse_ms(said.occurred_at), policy.base_currency, policy.rate_max_age_ms
            )
            self.frauds[decision_stem(said.source, said.customer_id) + said.transaction_id] = worth or 0
