"""Transactions that hang: their data stand in the log, and no coordinator knows of them any more.

Kafka has had several defects that leave one behind (KIP-890; KAFKA-20734 in 4.3.0 and 4.3.1, when a broker is killed).
Nobody reads such data until the same producer's next commit, which commits them as well. So whoever takes a partition
over looks: its changelogs and journal are written by its owner alone, in every transaction, and opening the producer
has ended whatever the coordinator knew of. What is open after that hangs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from aiokafka import TopicPartition
from aiokafka.errors import LeaderNotAvailableError, NoError, for_code
from aiokafka.protocol.offset import OffsetRequest

from agents.engine.transactions import Transactions

_UNCOMMITTED, _COMMITTED = 0, 1
_LATEST = -1


class HalfEndedError(Exception):
    """A transaction ended in some of our partitions and hangs in others: nobody but a person can know how it ended."""


async def end_what_hangs(
    transactions: Transactions, own: Iterable[TopicPartition], others: Iterable[TopicPartition]
) -> set[TopicPartition]:
    """Abort what hangs in partitions that this producer writes, and return them.

    `own` are those that it alone writes, in every transaction; `others` may be open because somebody else is at work.

    Raises:
        HalfEndedError: what to do stands in the text.
        KafkaError: the broker does not answer.

    """
    own = set(own)
    hanging = await _open(transactions, own)
    if not hanging:
        return hanging
    if hanging != own:
        raise HalfEndedError(
            f"Kafka has ended a transaction of ours, but not in {_names(hanging)}, where it hangs: see with "
            "`kafka-dump-log.sh` whether it was committed in the other partitions, end it alike with "
            "`kafka-transactions.sh find-hanging` and `abort`, and start again. See docs/operate.md."
        )
    hanging |= await _open(transactions, set(others))
    await transactions.abort(hanging)
    return hanging


async def _open(transactions: Transactions, partitions: Collection[TopicPartition]) -> set[TopicPartition]:
    """Return those that end later than what is committed in them."""
    ends = await _ends(transactions, partitions, _UNCOMMITTED)
    committed = await _ends(transactions, partitions, _COMMITTED)
    return {partition for partition in partitions if committed[partition] < ends[partition]}


async def _ends(
    transactions: Transactions, partitions: Iterable[TopicPartition], isolation: int
) -> dict[TopicPartition, int]:
    asked: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for topic, number in partitions:
        leader = transactions.client.cluster.leader_for_partition(TopicPartition(topic, number))
        if leader is None or leader < 0:
            await transactions.client.force_metadata_update()
            raise LeaderNotAvailableError(f"{topic}[{number}]")
        asked[leader][topic].append((number, _LATEST))
    ends = {}
    for leader, topics in asked.items():
        answer = await transactions.client.send(leader, OffsetRequest(-1, isolation, list(topics.items())))
        for topic, told in answer.topics:
            for number, code, *_, offset in told:
                if (error := for_code(code)) is not NoError:
                    raise error(f"{topic}[{number}]")
                ends[TopicPartition(topic, number)] = offset
    return ends


def _names(partitions: Iterable[TopicPartition]) -> str:
    return ", ".join(sorted(f"{topic}[{number}]" for topic, number in partitions))
