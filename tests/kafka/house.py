"""What the tests of the worker share: a worker in a process of its own, records in, and what is committed out."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents import topics
from agents.publisher import Publisher
from agents.settings import Settings
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from schemas.codec import encode
from schemas.timestamps import format_ms
from schemas.transaction import Transaction

PARTITIONS = 4
COMMAND = ("-m", "console", "worker")
METRIC = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def settings(broker: str, **more: str) -> Settings:
    """Settings as the environment would give them: `redis="redis://…"` is TIERWATCH_REDIS."""
    return Settings.from_environment(
        {f"TIERWATCH_{name.upper()}": text for name, text in {"broker": broker, **more}.items()}
    )


def prepare(kafka: Kafka, *, history: bool = False) -> None:
    topics.create(settings(kafka.bootstrap, partitions=str(PARTITIONS)), history=history)


class Worker:
    """`tierwatch worker` until the block ends, or another Python program that is one; its log in a file of `folder`."""

    def __init__(self, folder: Path, broker: str, program: Sequence[str] = COMMAND, **more: str) -> None:
        self._broker = broker
        environment = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
        own = {"broker": broker, "metrics_port": "0", "metrics_host": "127.0.0.1", "session_timeout": "6", **more}
        environment |= {f"TIERWATCH_{name.upper()}": text for name, text in own.items()}
        self._log = folder / f"worker-{len(list(folder.iterdir()))}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if error is not None:
            print(f"--- the worker's log:\n{self.log()}\n--- its group:\n{self._group()}")

    def _group(self) -> str:
        """Its group as the broker has it, for whoever reads why a test failed."""
        try:
            (told,) = (
                AdminClient({"bootstrap.servers": self._broker}).describe_consumer_groups([topics.APP_ID]).values()
            )
            group = told.result(timeout=10)
        except (KafkaException, TimeoutError) as error:  # or this would be told instead of what went wrong
            return repr(error)
        members = [f"{member.member_id} {member.host}" for member in group.members]
        return "\n".join([str(group.state), *members])

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def said(self, pattern: str) -> re.Match[str]:
        """Wait until its log holds `pattern`; fail when it ends before."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.log())
            assert found or self.process.poll() is None, (
                f"the worker ended with {self.process.returncode}:\n{self.log()}"
            )
            return found

        return until(look, f"{pattern!r} in the worker's log", seconds=60)

    def ready(self) -> Self:
        self.said(r"worker ready partitions=\S*\[")
        return self

    def ended(self) -> int:
        """Wait for its end and return its exit code."""
        return self.process.wait(60)

    def stop(self) -> int:
        """Stop as an orchestrator does, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def scrape(self) -> str:
        port = self.said(r"metrics served port=(\d+)")[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Ask for its health; return the status and what it says."""
        port = self.said(r"metrics served port=(\d+)")[1]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's series that carry these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(value)
            for found, carried, value in METRIC.findall(self.scrape())
            if found == name and all(each in carried for each in wanted)
        )


def payment(number: int, customer: str, at_ms: int | None = None, **more: object) -> Transaction:
    """A purchase of ten dollars, now unless told otherwise."""
    fields: dict[str, object] = {
        "transaction_id": f"t-{number}",
        "source": "test",
        "customer_id": customer,
        "occurred_at": format_ms(int(time.time() * 1000) if at_ms is None else at_ms),
        "amount": 1_000,
        "currency": "USD",
        "transaction_type": "purchase",
    }
    return Transaction(**{**fields, **more})  # type: ignore[arg-type]


def publish(kafka: Kafka, topic: str, records: Iterable[tuple[str | bytes | None, bytes | None]]) -> None:
    """Send records as a processor does, and return when Kafka has them."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5})
    refused: list[object] = []

    def told(error: object, _: Message) -> None:
        if error is not None:
            refused.append(error)

    for key, value in records:
        producer.produce(topic, key=key, value=value, on_delivery=told)
        producer.poll(0)
    assert producer.flush(30) == 0
    assert refused == []


def publish_stamped(kafka: Kafka, topic: str, records: Iterable[tuple[str, bytes, int]]) -> None:
    """Send records with times of their own, epoch milliseconds."""
    publisher = Publisher({"bootstrap.servers": kafka.bootstrap})
    for key, value, at_ms in records:
        publisher.publish(topic, key.encode(), value, at_ms)
    publisher.flush()


def publish_payments(kafka: Kafka, payments: Iterable[Transaction], topic: str = "transactions") -> None:
    publish(kafka, topic, ((each.customer_id, encode(each)) for each in payments))


def read(broker: str, topic: str, isolation: str = "read_committed") -> list[Message]:
    """Return all records of a topic that a reader can see now, partition by partition."""
    return await_records(broker, topic, 0, isolation)


def await_records(
    broker: str, topic: str, count: int, isolation: str = "read_committed", *, seconds: float = 90
) -> list[Message]:
    """Wait until a reader can see `count` records of a topic; return all it can see then, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "tests",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    found: list[Message] = []

    def all_there() -> bool:
        for message in consumer.consume(10_000, 0.05):
            error = message.error()
            if error is None:
                found.append(message)
                unread.add(message.partition())
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition())
        return not unread and len(found) >= count

    try:
        partitions = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        unread = set(partitions)
        until(all_there, f"{count} in {topic}", seconds=seconds)
        return sorted(found, key=lambda message: (message.partition(), message.offset()))
    except TimeoutError:
        print(f"{len(found)} of {count} in {topic}")
        raise
    finally:
        consumer.close()


def headers(message: Message) -> Mapping[str, bytes]:
    """Its headers, which all of ours have as bytes, each once."""
    return {name: value for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)}
