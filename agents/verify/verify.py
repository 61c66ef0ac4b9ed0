"""Run the journal again, partition by partition, and compare decisions, alerts, everything else, and the state.

Workers may be at work meanwhile. The positions in the changelogs say how many units of work the state holds: so many
are run. What was published when we began must have been made by these; what came later need not.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from agents import topics
from agents.broker import Broker, BrokerError
from agents.engine import positions
from agents.engine.batches import OWN
from agents.engine.fit import fitted
from agents.engine.journal import TOPIC as JOURNAL
from agents.engine.positions import Positions
from agents.engine.rows import Rows
from agents.engine.writer import DEAD_LETTERS
from agents.exit_codes import Exit
from agents.first_policy import initial_digest
from agents.settings import Settings
from agents.topics import CHANGELOGS
from agents.verify.again import Place, places_of, rerun_of, shared_of
from agents.verify.ledger import Ledger, found
from agents.verify.report import Report
from agents.verify.rerun import GoneError, Rerun, Shelf, compare_states
from agents.verify.streams import Stream, Streams
from agents.verify.units import units
from pipeline.partitioning import partition_of
from pipeline.policy.model import Policy
from pipeline.record import Message
from schemas.topics import SHARED_TOPICS, TOPICS, WORKER_TOPICS

# Their order is not the journal's alone: a dead letter goes by its record's key, whoever owns that partition, what
# shared topics make comes between two units, and labels go by where their payments went. All others go to the partition
# of their customer, unit after unit.
SHARED_OUTPUTS = ("audit", DEAD_LETTERS, "entity-labels", "entity-risk")
OUTPUTS = tuple(name for name in WORKER_TOPICS if name not in {*SHARED_OUTPUTS, JOURNAL})

Progress = Callable[[int, int], None]


class VerifyError(Exception):
    """Nothing can be verified here; the text says why, and what to do."""

    exit_code = Exit.BAD_INPUT


async def verify(settings: Settings, first: Policy, until_ms: int | None, progress: Progress) -> Report:
    """Verify all partitions from their beginning, up to the first unit that arrived at `until_ms` or later.

    `first` is the house's first policy; `progress` hears how many records of the journal are done, and of how many.

    Raises:
        BrokerError: Kafka cannot be used, or went away, or topics are missing.
        VerifyError: this cannot be verified, whoever tries.
        GoneError: retention has taken what is needed.

    """
    layout = await asyncio.to_thread(lambda: topics.look(Broker(settings)))
    if layout.embedded:
        raise VerifyError("The embedded broker forgets what is older than 5 MB: only a real Kafka can be verified.")
    try:
        return await _Verification(settings, first, layout.partitions, until_ms, progress).run()
    except KafkaError as error:
        raise BrokerError(
            f"Kafka at {settings.broker} stopped answering: {error}. Try again when it is back."
        ) from error


class _Verification:
    def __init__(
        self,
        settings: Settings,
        first: Policy,
        partitions: Mapping[str, int],
        until_ms: int | None,
        progress: Progress,
    ) -> None:
        self._client = settings.aiokafka()
        self._first = first
        self._partitions = partitions
        self._numbers = range(partitions["transactions"])
        self._until_ms = until_ms
        self._progress = progress
        self._done = self._total = 0
        self._report = Report(len(self._numbers))
        self._shared = {
            (topic, number): Ledger(topic, number, compacted=TOPICS[topic].compacted, ordered=False)
            for topic in SHARED_OUTPUTS
            for number in range(partitions[topic])
        }

    async def run(self) -> Report:
        journals = [(JOURNAL, number) for number in self._numbers]
        async with Streams(self._client, [*self._shared, *journals]) as streams:
            settled = {place: streams.of(*place).end for place in self._shared}
            self._total = sum(streams.of(*each).end - streams.of(*each).first for each in journals)
        for number in self._numbers:
            await self._verify(number)
        async with Streams(self._client, self._shared) as streams:
            for place, ledger in self._shared.items():
                while records := await streams.of(*place).take(1_000):
                    ledger.compare((), found(records))
                self._close(ledger, 0 if self._until_ms is not None else settled[place])
        return self._report

    async def _verify(self, number: int) -> None:
        outputs: list[Place] = [(topic, number) for topic in OUTPUTS]
        # In this order: all that was published before the state was read was made by units that the state holds.
        async with Streams(self._client, outputs) as streams:
            settled = {place: streams.of(*place).end for place in outputs}
        states = await self._states(number)
        async with Streams(self._client, [*places_of(number), *outputs]) as streams:
            said = await shared_of(streams)
            self._see_first_policy(said["policies"])
            reached = _reached(states["windows"])
            again = rerun_of(streams, Shelf(self._first, said), number, len(self._numbers))
            ledgers = {topic: _ledger(topic, number, streams.of(topic, number)) for topic in OUTPUTS}
            whole = await self._rerun(again, ledgers, streams, reached)
            if whole:
                await again.close(reached.next)
                self._compare_states(number, again, states)
                if number == 0:
                    self._expect(Shelf(self._first, said).read_to(_named(reached.next, SHARED_TOPICS)), number)
            for topic, ledger in ledgers.items():
                stream = streams.of(topic, number)
                if whole:
                    ledger.compare((), found(await stream.before(settled[topic, number])))
                self._close(ledger, settled[topic, number] if whole else stream.next)
        self._report.records += again.records
        self._report.add(again.differences)

    async def _states(self, number: int) -> dict[str, Rows]:
        """Return the tables as one commit left them: their logs end together, unless we looked between the two."""
        while True:
            async with Streams(self._client, [(changelog, number) for changelog in CHANGELOGS.values()]) as streams:
                states = {table: await _rows(streams.of(changelog, number)) for table, changelog in CHANGELOGS.items()}
            if len({_reached(rows).units for rows in states.values()}) == 1:
                return states

    async def _rerun(self, again: Rerun, ledgers: Mapping[str, Ledger], streams: Streams, reached: Positions) -> bool:
        """Run what the state holds, and return whether that was all of it."""
        journal = streams.of(JOURNAL, again.number)
        before = self._done
        async for unit in units(journal, reached.units, self._report):
            self._done = before + unit.offset - journal.first
            self._progress(self._done, self._total)
            if self._until_ms is not None and unit.at_ms >= self._until_ms:
                return False
            made: dict[str, list[Message]] = {}
            for message in await again.run(unit.made_of, unit.offset):
                made.setdefault(message.topic, []).append(message)
            for topic in SHARED_OUTPUTS:
                self._expect(made.pop(topic, ()), again.number)
            for topic, messages in made.items():
                stands = await streams.of(topic, again.number).take(len(messages))
                ledgers[topic].compare(messages, found(stands))
            self._report.units += 1
        self._done = before + journal.end - journal.first
        self._progress(self._done, self._total)
        return True

    def _expect(self, messages: Iterable[Message], here: int) -> None:
        for message in messages:
            sent = fitted(message) if message.topic == DEAD_LETTERS else message
            count = self._partitions[sent.topic]
            partition = here % count if sent.key is None or sent.topic in OWN else partition_of(sent.key, count)
            self._shared[sent.topic, partition].compare([sent], ())

    def _compare_states(self, number: int, again: Rerun, states: Mapping[str, Rows]) -> None:
        for table, rows in states.items():
            there = dict(rows.items())
            self._report.states[table] += len(there)
            self._report.add(compare_states(CHANGELOGS[table], number, again.tables[table], there))

    def _close(self, ledger: Ledger, settled: int) -> None:
        self._report.messages[ledger.topic] += ledger.agreed
        self._report.add(ledger.differences(settled))

    def _see_first_policy(self, said: Sequence[ConsumerRecord]) -> None:
        digest = next(filter(None, (initial_digest(record.value) for record in said)), None)
        if digest is not None and digest != self._first.digest:
            raise VerifyError(
                f"the house began with the policy {digest[:12]}…, and this one is {self._first.digest[:12]}…: "
                "give the first policy's file with --policy or TIERWATCH_POLICY."
            )


def _ledger(topic: str, number: int, stream: Stream) -> Ledger:
    compacted = TOPICS[topic].compacted
    if stream.first > 0 and not compacted:
        raise GoneError(
            f"{topic}[{number}] begins at offset {stream.first}: retention has taken what the journal's first units "
            "made. Give it a retention at least as long as the journal's."
        )
    return Ledger(topic, number, compacted=compacted, ordered=True)


async def _rows(changelog: Stream) -> Rows:
    rows = Rows()
    while records := await changelog.take(2_000):
        rows.restore(records)
    return rows


def _reached(rows: Rows) -> Positions:
    return positions.decode(rows.get(positions.KEY))


def _named(offsets: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    return {name: offsets.get(name, 0) for name in names}
