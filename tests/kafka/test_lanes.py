"""The priority lane under backlog: decided first, and nobody starves."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from agents.app import MOST_RECORDS
from load_tests.services.kafka import Kafka
from pipeline.policy.load import default_yaml, load_policy
from schemas.journal import JournalRecord
from tests.kafka.house import PARTITIONS, Worker, await_records, payment, prepare, publish_payments, read

STANDARD, PRIORITY = "transactions", "transactions-priority"
journal = msgspec.json.Decoder(JournalRecord).decode


def taken(kafka: Kafka) -> dict[int, list[tuple[str, int]]]:
    """Topic and number of records of each range, in the order in which each partition took them."""
    order: dict[int, list[tuple[str, int]]] = {number: [] for number in range(PARTITIONS)}
    for message in read(kafka.bootstrap, "journal"):
        unit = journal(message.value() or b"")
        order[unit.partition] += [(each.topic, each.count) for each in unit.inputs]
    return order


@pytest.mark.parametrize("standard, priority", [(16_000, 1_600), (8_000, 40_000)])
def test_both_lanes_have_their_share_of_a_backlog(
    empty_kafka: Kafka, tmp_path: Path, standard: int, priority: int
) -> None:
    prepare(empty_kafka)
    weight = load_policy(default_yaml()).priority_weight
    publish_payments(empty_kafka, (payment(number, f"c-{number % 200}") for number in range(standard)), STANDARD)
    both = range(standard, standard + priority)
    publish_payments(empty_kafka, (payment(number, f"c-{number % 200}") for number in both), PRIORITY)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        await_records(empty_kafka.bootstrap, "decisions", standard + priority)
        assert worker.stop() == 0

    before: Counter[str] = Counter()
    for ranges in taken(empty_kafka).values():
        last = max(at for at, (topic, _) in enumerate(ranges) if topic == PRIORITY)
        for topic, count in ranges[: last + 1]:
            before[topic] += count
    assert before[PRIORITY] == priority
    # Fetches of one lane only come before the first of both, and when the other has nothing at hand.
    assert before[STANDARD] < priority / weight + 3 * MOST_RECORDS
    assert before[STANDARD] > (priority - 2 * PARTITIONS * MOST_RECORDS) / weight / 2
