"""`python -m load_tests.chaos.judge BROKER POLICY`: was anything lost, repeated, or remembered wrongly?

A program of its own that shares no code with the engine: it reads topics, committed records only, runs the journal
again offline, and prints one JSON object. It exits with 0 when there is nothing to say against the run, else with 1.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from load_tests.chaos.reading import partitions, read
from load_tests.chaos.rerun import Rerun, said_by_all
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.record import InputRecord, Message
from schemas.dead_letter import OFFSET, PARTITION, TOPIC
from schemas.topics import INPUT_TOPICS, SHARED_TOPICS, TOPICS, TRANSACTION_TOPICS, WORKER_TOPICS

# The engine's own name for its record in a changelog: it says how far the inputs came, nothing of a customer.
POSITIONS = b"\x00positions"
CHANGELOGS = {"windows": "tierwatch-windows-changelog", "dossiers": "tierwatch-dossiers-changelog"}
# Compaction takes what is old from the others; their newest records follow from the state.
OUTPUTS = tuple(name for name in WORKER_TOPICS if not TOPICS[name].compacted and name != "journal")
_EXAMPLES = 20

Said = tuple[str, object, object]


class Verdict(msgspec.Struct, kw_only=True):
    """What the topics say. `lost` and what follows is 0 when nothing went wrong."""

    transactions: int = 0
    records: int = 0
    decisions: int = 0
    policies: list[int] = []
    """The versions of the policy that were in force."""
    lost: int = 0
    """Input records without an outcome, and messages that are not there."""
    repeated: int = 0
    """Input records taken twice, and messages that are there twice."""
    strange: int = 0
    """Messages that nothing accounts for, or out of their order."""
    state_differences: int = 0
    """State records that are not what the journal makes of them."""
    undisturbed_differences: int = 0
    """Decisions, alerts and states that are not those of an undisturbed run."""
    examples: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (
            self.lost or self.repeated or self.strange or self.state_differences or self.undisturbed_differences
        )


class _Judge:
    def __init__(self, broker: str, first: Policy, *, undisturbed: bool) -> None:
        self.verdict = Verdict()
        self._broker = broker
        self._first = first
        self._undisturbed = undisturbed
        self._count = partitions(broker, "transactions")
        self._shared = read(broker, SHARED_TOPICS, 0)
        # A dead letter goes by its record's key, and what shared topics make is said by one partition's owner: so all
        # partitions together.
        self._expected: Counter[Said] = Counter()
        self._found: Counter[Said] = Counter()
        self._dead = 0
        self._duplicates = 0

    def judge(self) -> Verdict:
        """Look at every partition, then at what they said together."""
        for number in range(self._count):
            self._partition(number)
        self._expect(said_by_all(self._first, self._shared))
        for said in self._expected.keys() | self._found.keys():
            self._compare(said, self._expected[said], self._found[said])
        verdict = self.verdict
        # By counting alone, without the pipeline: each transaction has one outcome.
        outcomes = verdict.decisions + self._duplicates + self._dead
        self._note(f"{verdict.transactions} transactions have {outcomes} outcomes", outcomes != verdict.transactions)
        verdict.lost = max(verdict.lost, verdict.transactions - outcomes)
        verdict.repeated = max(verdict.repeated, outcomes - verdict.transactions)
        return verdict

    def _partition(self, number: int) -> None:
        inputs = read(self._broker, INPUT_TOPICS, number)
        outputs = read(self._broker, (*OUTPUTS, "journal"), number)
        again = Rerun(number, self._count, self._first, self._shared)
        again.by_journal(outputs["journal"], inputs)
        self._duplicates += again.duplicates
        self.verdict.policies = sorted(again.policies.union(self.verdict.policies))
        self._outcomes(inputs, again)
        self._expect(again.messages)
        for topic in OUTPUTS:
            self._found.update(_found(record) for record in outputs[topic])
        self._dead += sum(_place(record.headers)[0] in TRANSACTION_TOPICS for record in outputs["dead-letters"])
        self.verdict.decisions += len(outputs["decisions"])
        self._order(number, again.messages, outputs["decisions"])
        states = self._states(number)
        for table, rows in again.tables.items():
            self.verdict.state_differences += self._differences(f"{table}[{number}]", rows, states[table])
        if self._undisturbed:
            self._compare_undisturbed(number, inputs, outputs, states)

    def _outcomes(self, inputs: Mapping[str, Sequence[InputRecord]], again: Rerun) -> None:
        verdict = self.verdict
        for topic, records in inputs.items():
            verdict.records += len(records)
            verdict.transactions += len(records) if topic in TRANSACTION_TOPICS else 0
            for record in records:
                times = again.taken[topic, record.offset]
                if times == 1:
                    continue
                verdict.lost += times == 0
                verdict.repeated += max(0, times - 1)
                told = "; ".join(again.told_of(topic, record.offset))
                self._note(f"{topic}[{record.partition}] {record.offset} was taken {times} times: {told}", wrong=True)

    def _order(self, number: int, made: Iterable[Message], found: Sequence[InputRecord]) -> None:
        expected = [message.value for message in made if message.topic == "decisions"]
        stands = [record.value for record in found]
        disordered = sorted(map(bytes, filter(None, expected))) == sorted(map(bytes, filter(None, stands)))
        if disordered and expected != stands:
            self.verdict.strange += 1
            self._note(f"decisions[{number}] stand in another order than they were made", wrong=True)

    def _states(self, number: int) -> dict[str, dict[bytes, bytes]]:
        logs = read(self._broker, tuple(CHANGELOGS.values()), number)
        return {table: _newest(logs[changelog]) for table, changelog in CHANGELOGS.items()}

    def _compare_undisturbed(
        self,
        number: int,
        inputs: Mapping[str, Sequence[InputRecord]],
        outputs: Mapping[str, Sequence[InputRecord]],
        states: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        calm = Rerun(number, self._count, self._first, self._shared)
        calm.undisturbed(inputs)
        expected = Counter((message.topic, message.value) for message in calm.messages)
        found = Counter((topic, record.value) for topic in ("decisions", "alerts") for record in outputs[topic])
        differences = sum(
            abs(expected[each] - found[each])
            for each in expected.keys() | found.keys()
            if each[0] in {"decisions", "alerts"}
        )
        self._note(f"partition {number}: {differences} messages differ from an undisturbed run", bool(differences))
        for table, rows in calm.tables.items():
            differences += self._differences(f"undisturbed {table}[{number}]", rows, states[table])
        self.verdict.undisturbed_differences += differences

    def _differences(self, name: str, made: Mapping[bytes, bytes], there: Mapping[bytes, bytes]) -> int:
        keys = [key for key in made.keys() | there.keys() if made.get(key) != there.get(key)]
        for key in keys:
            self._note(f"{name}: the state of {key!r} is another", wrong=True)
        return len(keys)

    def _expect(self, messages: Iterable[Message]) -> None:
        self._expected.update(_made(message) for message in messages if message.topic in OUTPUTS)

    def _compare(self, said: Said, expected: int, found: int) -> None:
        if expected == 0:
            self.verdict.strange += found
        else:
            self.verdict.lost += max(0, expected - found)
            self.verdict.repeated += max(0, found - expected)
        self._note(f"{said!r:.200} stands {found} times, not {expected}", expected != found)

    def _note(self, text: str, wrong: bool) -> None:  # noqa: FBT001 - the condition of the sentence before it
        if wrong and len(self.verdict.examples) < _EXAMPLES:
            self.verdict.examples.append(text)


def _made(message: Message) -> Said:
    if message.topic == "dead-letters":
        return message.topic, _place(message.headers), None
    return message.topic, message.key, message.value


def _found(record: InputRecord) -> Said:
    if record.topic == "dead-letters":  # its own headers and size are the worker's
        return record.topic, _place(record.headers), None
    return record.topic, record.key, record.value


def _place(headers: Iterable[tuple[str, bytes]]) -> tuple[str, int, int]:
    named = dict(headers)
    return named[TOPIC].decode(), int(named[PARTITION]), int(named[OFFSET])


def _newest(records: Iterable[InputRecord]) -> dict[bytes, bytes]:
    newest: dict[bytes, bytes] = {}
    for record in records:
        if record.key is None or record.key == POSITIONS:
            continue
        if record.value is None:
            newest.pop(record.key, None)
        else:
            newest[record.key] = record.value
    return newest


def judge(broker: str, first: Policy, *, undisturbed: bool = False) -> Verdict:
    """Judge what stands on a broker.

    `first` is the house's first policy. With `undisturbed`, decisions, alerts and states are also compared with a run
    that nothing disturbed: for history topics with transactions only, each customer in one lane.
    """
    return _Judge(broker, first, undisturbed=undisturbed).judge()


def main() -> int:
    """Judge by the command line."""
    broker, policy, *options = sys.argv[1:]
    first = load_policy(Path(policy).read_bytes())
    verdict = judge(broker, first, undisturbed="--undisturbed" in options)
    print(msgspec.json.encode(verdict).decode())
    return 0 if verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
