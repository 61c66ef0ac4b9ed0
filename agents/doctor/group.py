"""The workers' group: is anybody at work, and how far behind?"""

from collections import Counter
from collections.abc import Iterator

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from agents.doctor.finding import Finding, ill, warning, well
from agents.topics import APP_ID
from schemas.topics import INPUT_TOPICS

_ANSWER_S = 10.0
MANY = 10_000
# Nearly all that waits, waits on one partition: more workers would not help.
HOT = 0.8


def ends(admin: AdminClient, partitions: list[TopicPartition], isolation: IsolationLevel) -> dict[tuple[str, int], int]:
    """Return where each partition ends for readers of this isolation. Raises `KafkaException`."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = dict.fromkeys(partitions, latest)
    answers = admin.list_offsets(asked, isolation_level=isolation, request_timeout=_ANSWER_S)
    return {(each.topic, each.partition): done.result().offset for each, done in answers.items()}


def members(admin: AdminClient, group: str) -> tuple[int, str]:
    """Return how many are in a group, and its state in a word. Raises `KafkaException`."""
    try:
        found = admin.describe_consumer_groups([group], request_timeout=_ANSWER_S)[group].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0, "unknown"
        raise
    return len(found.members), found.state.name.lower()


def workers(admin: AdminClient) -> Iterator[Finding]:
    """See who is in the group."""
    try:
        count, state = members(admin, APP_ID)
    except KafkaException as error:
        yield warning("workers", f"Kafka does not tell of the group: {error.args[0].str()}", "Look at its log.")
        return
    if not count:
        yield ill("workers", "no worker is at work: nothing is judged", "Start one: tierwatch worker")
    elif state != "stable":
        yield warning("workers", f"the group is {state}", "Wait a minute, and ask again.")
    else:
        yield well("workers", f"{count} at work")


def lag(admin: AdminClient, partitions: int) -> Iterator[Finding]:
    """See how much waits, and whether it waits everywhere."""
    inputs = [TopicPartition(topic, number) for topic in INPUT_TOPICS for number in range(partitions)]
    request = ConsumerGroupTopicPartitions(APP_ID, inputs)
    try:
        told = admin.list_consumer_group_offsets([request], request_timeout=_ANSWER_S)[APP_ID].result()
        end = ends(admin, inputs, IsolationLevel.READ_COMMITTED)
    except KafkaException as error:
        yield warning("lag", f"Kafka does not tell how far workers are: {error.args[0].str()}", "Look at its log.")
        return
    waiting = Counter[int]()
    for each in told.topic_partitions or ():
        waiting[each.partition] += max(0, end[each.topic, each.partition] - max(0, each.offset))
    total = waiting.total()
    number, most = waiting.most_common(1)[0] if waiting else (0, 0)
    if total < MANY:
        yield well("lag", f"{total:,} records wait")
    elif most > HOT * total and partitions > 1:
        do = "One customer sends very much, or that worker is slow: dashboards/runbooks/TierwatchHotPartition.md"
        yield warning("lag", f"{total:,} records wait, {most:,} of them on partition {number}", do)
    else:
        do = "Start more workers, up to the number of partitions: dashboards/runbooks/TierwatchLagGrows.md"
        yield warning("lag", f"{total:,} records wait", do)
