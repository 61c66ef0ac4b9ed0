"""`tierwatch ingest` into a real Kafka: each record at its own time, on the partition that a worker expects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.exit_codes import Exit
from agents.publisher import Publisher, UnfitRecordError
from load_tests.services.kafka import Kafka
from pipeline.partitioning import partition_of
from schemas.codec import decode_disposition, decode_transaction
from schemas.timestamps import parse_ms
from tests.kafka.house import PARTITIONS, prepare, read

HEADER = "event_id,unix_time,cc_num,acct_num,category,merchant,amt,merch_lat,merch_long,is_fraud\n"
NEW_YEAR_S = 1_577_836_800


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    file = tmp_path / "payments.csv"
    rows = (
        f"{n},{NEW_YEAR_S + 60 * n},4111111111111111,c-{n % 17},home,m-{n % 5},{n}.25,1.5,2.5,{int(n % 50 == 0)}\n"
        for n in range(500)
    )
    file.write_text(HEADER + "".join(rows))
    return file


def ingest(file: Path, broker: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
    words = [sys.executable, "-m", "console", "ingest", "--format", "sparkov", str(file), *arguments]
    return subprocess.run(
        words,
        env={**clean, "TIERWATCH_BROKER": broker},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_each_record_stands_at_its_own_time_where_its_key_belongs(empty_kafka: Kafka, payments: Path) -> None:
    prepare(empty_kafka, history=True)
    done = ingest(payments, empty_kafka.bootstrap, "--json")
    assert done.returncode == 0, done.stderr
    assert '"transactions":500,"dispositions":500,"refused_rows":0' in done.stdout
    transactions = read(empty_kafka.bootstrap, "transactions")
    assert len(transactions) == 500
    for message in transactions:
        transaction, _ = decode_transaction(message.value() or b"")
        assert message.timestamp()[1] == parse_ms(transaction.occurred_at)
        assert message.key() == transaction.customer_id.encode()
        assert message.partition() == partition_of(message.key() or b"", PARTITIONS)
    labels = read(empty_kafka.bootstrap, "dispositions")
    assert len(labels) == 500
    for message in labels:
        label = decode_disposition(message.value() or b"").message
        assert message.timestamp()[1] == parse_ms(label.occurred_at)
        assert message.partition() == partition_of(label.customer_id.encode(), PARTITIONS)


def test_topics_with_the_brokers_time_are_refused_with_the_command_that_helps(
    empty_kafka: Kafka, payments: Path
) -> None:
    missing = ingest(payments, empty_kafka.bootstrap)
    prepare(empty_kafka)
    live = ingest(payments, empty_kafka.bootstrap)
    for done, why in ((missing, "missing"), (live, "LogAppendTime")):
        assert done.returncode == Exit.TOPICS
        assert why in done.stderr
        assert "tierwatch topics create --history" in done.stderr
    assert read(empty_kafka.bootstrap, "transactions") == []


def test_broker_can_be_named_on_the_command_line(empty_kafka: Kafka, payments: Path) -> None:
    prepare(empty_kafka, history=True)
    done = ingest(payments, "localhost:1", "--to", empty_kafka.bootstrap, "--no-dispositions")
    assert done.returncode == 0, done.stderr
    assert len(read(empty_kafka.bootstrap, "transactions")) == 500


def test_record_that_kafka_never_takes_is_told_as_such(kafka: Kafka) -> None:
    topic = kafka.unique("small")
    kafka.create(topic, settings={"max.message.bytes": "1000"})
    publisher = Publisher({"bootstrap.servers": kafka.bootstrap})
    publisher.publish(topic, b"k", os.urandom(5_000), 0)
    with pytest.raises(UnfitRecordError, match=topic):
        publisher.flush()
