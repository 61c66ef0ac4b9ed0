"""A real Kafka: one broker and controller with the settings that docker-compose uses, on ports of its own."""

import re
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from load_tests.services.need import UnavailableError, brought, download, program
from load_tests.services.run import Address, DiedError, Run, free_ports
from load_tests.services.wait import until

POM = Path(__file__).parent / "kafka" / "pom.xml"
PROPERTIES = Path(__file__).parents[2] / "deploy" / "kafka" / "server.properties"
JAVA_AT_LEAST = 17
STARTS = 3
USERNAME, PASSWORD = "tierwatch", "only-on-this-machine"
# For a broker that lives for a minute: Java's second compiler would take more time than it gives back.
SHORT_LIVED = ("-XX:TieredStopAtLevel=1",)


@dataclass(frozen=True)
class Kafka:
    """A running broker. Topics belong to the whole run: take names from `unique`, or use the fixture `empty_kafka`."""

    bootstrap: str
    """Address without credentials."""
    sasl_bootstrap: str
    """Address that asks for SASL PLAIN with `username` and `password`."""
    username: str = USERNAME
    password: str = PASSWORD

    @cached_property
    def admin(self) -> AdminClient:
        """One client for the whole run, for what has no method here."""
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def unique(self, stem: str) -> str:
        """Return a name that no other test uses, for a topic, a group or a transactional id."""
        return f"{stem}-{uuid.uuid4().hex[:8]}"

    def create(self, *topics: str, partitions: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Make topics and return when clients can use them."""
        new = [NewTopic(topic, num_partitions=partitions, config=dict(settings or {})) for topic in topics]
        for done in self.admin.create_topics(new).values():
            done.result()
        until(lambda: set(topics) <= self.topics(), f"topics {', '.join(topics)}")

    def topics(self) -> set[str]:
        """Return the names of all topics but Kafka's own."""
        return {name for name in self.admin.list_topics(timeout=10).topics if not name.startswith("__")}

    def clear(self) -> None:
        """Delete every topic and every consumer group that nobody is in."""
        self.delete_groups()
        if topics := self.topics():
            for deleted in self.admin.delete_topics(sorted(topics)).values():
                deleted.result()
            until(lambda: not self.topics(), "topics to be gone")

    def await_leaders(self) -> None:
        """Return when each partition answers: topics made anew soon after they were deleted do not at once."""
        topics = self.admin.list_topics(timeout=10).topics
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(name, number): latest for name in topics for number in topics[name].partitions}

        def led() -> bool:
            answers = self.admin.list_offsets(asked)
            return all(answer.exception() is None for answer in answers.values())

        until(led, "every partition to have its leader")

    def delete_groups(self) -> set[str]:
        """Delete the groups that nobody is in; return those that still have members."""
        groups = [group.group_id for group in self.admin.list_consumer_groups().result().valid]
        full = set()
        for name, gone in self.admin.delete_consumer_groups(groups).items() if groups else ():
            try:
                gone.result()
            except KafkaException as error:
                if error.args[0].name() == "NON_EMPTY_GROUP":
                    full.add(name)
                elif error.args[0].name() != "GROUP_ID_NOT_FOUND":
                    raise
        return full


def jars() -> Path:
    """Return the folder of Kafka's jars, downloaded once."""

    def bring(into: Path) -> None:
        mvn = program("mvn", "maven")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        download([mvn, "-q", "-B", "-f", str(POM), *goal], "Kafka")

    return brought("kafka", POM, bring)


def java() -> str:
    """Return a Java that is new enough for Kafka 4."""
    path = program("java", f"openjdk-{JAVA_AT_LEAST}-jre-headless or newer")
    said = subprocess.run([path, "-version"], check=False, text=True, capture_output=True).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        reason = f"Kafka 4 needs Java {JAVA_AT_LEAST} or newer; {path} says: {said.splitlines()[:1]}"
        raise UnavailableError(reason)
    return path


def start(run: Run, name: str = "kafka", java_options: Sequence[str] = ()) -> Kafka:
    """Start the run's broker of this name, or join the one that another process of the run has started."""
    return Kafka(**run.once(name, lambda folder: _start(run, folder, java_options)))


def _start(run: Run, folder: Path, java_options: Sequence[str]) -> Address:
    for attempt in range(1, STARTS + 1):
        own = folder / str(attempt)
        command, address = lay_out(own, java_options)
        try:
            run.spawn(own, command, partial(answers, address["bootstrap"]), seconds=120)
        except DiedError:
            # Between our look and Kafka's start another process may have taken the port.
            if attempt == STARTS:
                raise
        else:
            return address
    raise AssertionError


def lay_out(folder: Path, java_options: Sequence[str] = ()) -> tuple[list[str], Address]:
    """Make `folder` a broker's home; return the command that starts it, again and again, and where it then is."""
    folder.mkdir()
    base = [java(), *java_options, "-cp", f"{jars()}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    plain, sasl, controller = (f"127.0.0.1:{port}" for port in free_ports(3))
    properties = _properties(folder, plain, sasl, controller)
    subprocess.run(
        [*base, "kafka.tools.StorageTool", "format", "--cluster-id", uuid.uuid4().hex[:22], "--config", properties],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    command = [*base, "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "kafka.Kafka", str(properties)]
    return command, {"bootstrap": plain, "sasl_bootstrap": sasl}


def _properties(folder: Path, plain: str, sasl: str, controller: str) -> Path:
    """Write the committed properties with this run's addresses and folder, and a listener that asks for credentials."""
    lines = PROPERTIES.read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    settings |= {
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{plain},SASL_PLAINTEXT://{sasl},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{plain},SASL_PLAINTEXT://{sasl}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
            f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USERNAME}="{PASSWORD}";'
        ),
    }
    properties = folder / "server.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return properties


def answers(bootstrap: str) -> bool:
    """Return whether a broker is at work there."""
    host, port = bootstrap.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return bool(AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=5).brokers)
    except (OSError, KafkaException):
        return False
