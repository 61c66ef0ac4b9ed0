"""Topics as Kafka has them: make them, compare them, and say what a worker finds."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from agents.broker import Broker, BrokerError
from agents.exit_codes import Exit
from agents.settings import Settings
from schemas.topics import INPUT_TOPICS, TOPICS, changelog_config

APP_ID = "tierwatch"
TABLES = ("windows", "dossiers")
CHANGELOGS = {name: f"{APP_ID}-{name}-changelog" for name in TABLES}
_ANSWER_S = 15.0


class Wanted(NamedTuple):
    """A topic as it shall be."""

    partitions: int
    config: Mapping[str, str]


class Difference(NamedTuple):
    """One setting of a topic that is not what it should be, and the command that mends it; empty: none can."""

    setting: str
    found: str
    wanted: str
    command: str


class Outcome(NamedTuple):
    """What became of one topic: `created`, `exists` as it should be, or `differs`."""

    topic: str
    result: str
    differences: tuple[Difference, ...] = ()


class TopicsError(BrokerError):
    """Topics are missing or cannot work together; the text says what to do."""

    exit_code = Exit.TOPICS


class Layout(NamedTuple):
    """What a worker finds: partitions by topic, and whether arrivals are the broker's time (else the records' own)."""

    partitions: Mapping[str, int]
    live: bool
    embedded: bool


def wanted(settings: Settings, *, history: bool = False) -> dict[str, Wanted]:
    """Return every topic and changelog with what it needs; `history`: for records with their own, old times."""
    topics = {
        topic.name: Wanted(
            settings.partitions if topic.partitions == "by_customer" else 1, topic.config(history=history)
        )
        for topic in TOPICS.values()
    }
    return topics | {name: Wanted(settings.partitions, changelog_config()) for name in CHANGELOGS.values()}


def create(settings: Settings, *, history: bool = False) -> list[Outcome]:
    """Make what is missing and compare what is there; doing it again changes nothing.

    Raises:
        BrokerError: Kafka does not answer, lets nobody in, or refuses a topic.

    """
    broker = Broker(settings)
    found = broker.metadata().topics
    everything = wanted(settings, history=history)
    new = [
        NewTopic(name, want.partitions, settings.replication or -1, config=dict(want.config))
        for name, want in everything.items()
        if name not in found
    ]
    created = _create(broker, new)
    if created:
        _seen(broker, set(everything))
    compared = {outcome.topic: outcome for outcome in compare(settings, history=history)}
    return [Outcome(name, "created") if name in created else compared[name] for name in everything]


def compare(settings: Settings, *, history: bool = False) -> list[Outcome]:
    """Compare every topic that is there with what it should be.

    Raises:
        BrokerError: Kafka does not answer, lets nobody in, or does not tell.

    """
    broker = Broker(settings)
    found = broker.metadata().topics
    everything = {name: want for name, want in wanted(settings, history=history).items() if name in found}
    configs = _configs(broker, list(everything))
    return [
        _compared(settings, name, want, len(found[name].partitions), configs[name]) for name, want in everything.items()
    ]


def _seen(broker: Broker, names: set[str]) -> None:
    """Wait until brokers tell of all topics: whoever is started next will look for them."""
    end = time.monotonic() + _ANSWER_S
    while not names <= broker.metadata().topics.keys() and time.monotonic() < end:
        time.sleep(0.05)


def _create(broker: Broker, new: list[NewTopic]) -> set[str]:
    created = set()
    for name, done in (broker.admin.create_topics(new, request_timeout=_ANSWER_S) if new else {}).items():
        try:
            done.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else did it meanwhile
                continue
            raise BrokerError(f"Kafka refuses the topic {name}: {error.args[0].str()}") from None
        created.add(name)
    return created


def _configs(broker: Broker, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = broker.admin.describe_configs(asked, request_timeout=_ANSWER_S)
    try:
        return {
            resource.name: {entry.name: entry.value for entry in done.result().values()}
            for resource, done in answers.items()
        }
    except KafkaException as error:
        raise BrokerError(f"Kafka does not tell the topics' configuration: {error.args[0].str()}") from None


def _compared(settings: Settings, name: str, want: Wanted, partitions: int, config: Mapping[str, str]) -> Outcome:
    at = f"--bootstrap-server {settings.broker}"
    differences = [
        Difference(
            setting,
            config.get(setting, ""),
            value,
            f"kafka-configs.sh {at} --alter --entity-type topics --entity-name {name} --add-config {setting}={value}",
        )
        for setting, value in want.config.items()
        if config.get(setting) != value
    ]
    if partitions != want.partitions:
        # More partitions would send a customer's records elsewhere than the state: only a new topic helps.
        differences.insert(0, Difference("partitions", str(partitions), str(want.partitions), ""))
    return Outcome(name, "differs" if differences else "exists", tuple(differences))


def look(broker: Broker) -> Layout:
    """Return what the worker's topics are like.

    Raises:
        TopicsError: some are missing, or those by customer differ in their number of partitions.

    """
    metadata = broker.metadata()
    names = [*TOPICS, *CHANGELOGS.values()]
    missing = [name for name in names if name not in metadata.topics]
    if missing:
        raise TopicsError(f"topics are missing: {', '.join(missing)}. Make them with `tierwatch topics create`.")
    partitions = {name: len(metadata.topics[name].partitions) for name in names}
    together = {name: partitions[name] for name in (*INPUT_TOPICS, "journal", *CHANGELOGS.values())}
    if len(set(together.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in together.items())
        raise TopicsError(f"these topics need the same number of partitions: {counts}. Make the odd ones anew.")
    if broker.embedded():
        return Layout(partitions, live=False, embedded=True)
    stamps = {
        name: config["message.timestamp.type"] == "LogAppendTime"
        for name, config in _configs(broker, [*INPUT_TOPICS, "journal"]).items()
    }
    if len(set(stamps.values())) > 1:
        mixed = ", ".join(f"{name} {'LogAppendTime' if live else 'CreateTime'}" for name, live in stamps.items())
        raise TopicsError(
            f"live and history topics are mixed: {mixed}. Run `tierwatch topics create`: it names what to mend."
        )
    return Layout(partitions, live=all(stamps.values()), embedded=False)
