"""`tierwatch topics create` on a real broker: made once, compared ever after, mended by the command it names."""

import shlex

import pytest
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from agents.broker import Broker, BrokerError, CredentialsError
from agents.topics import CHANGELOGS, TopicsError, create, look, wanted
from load_tests.services.kafka import Kafka
from load_tests.services.run import free_ports
from load_tests.services.wait import until
from schemas.topics import TOPICS
from tests.kafka.house import settings


def test_every_topic_is_made_with_its_settings_and_nothing_happens_twice(empty_kafka: Kafka) -> None:
    mine = settings(empty_kafka.bootstrap, partitions="3")
    assert {(made.topic, made.result) for made in create(mine)} == {
        (name, "created") for name in (*TOPICS, *CHANGELOGS.values())
    }
    assert {made.result for made in create(mine)} == {"exists"}
    layout = look(Broker(mine))
    assert layout.live
    assert layout.partitions["transactions"] == layout.partitions["tierwatch-windows-changelog"] == 3
    assert layout.partitions["policies"] == 1


def test_history_topics_keep_the_records_own_times_and_forget_nothing(empty_kafka: Kafka) -> None:
    mine = settings(empty_kafka.bootstrap)
    create(mine, history=True)
    assert not look(Broker(mine)).live
    assert all(
        want.config["message.timestamp.type"] == "CreateTime" and want.config.get("retention.ms", "-1") == "-1"
        for want in wanted(mine, history=True).values()
    )


def test_what_differs_is_told_with_the_command_that_mends_it(empty_kafka: Kafka) -> None:
    mine = settings(empty_kafka.bootstrap)
    create(mine)
    resource = ConfigResource(ResourceType.TOPIC, "alerts")
    resource.add_incremental_config(ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    for done in empty_kafka.admin.incremental_alter_configs([resource]).values():
        done.result()
    (odd,) = until(lambda: [outcome for outcome in create(mine) if outcome.result == "differs"], "Kafka to tell it")
    (difference,) = odd.differences
    assert (odd.topic, difference.setting, difference.found) == ("alerts", "retention.ms", "1000")
    command = shlex.split(difference.command)
    assert command[command.index("--add-config") + 1] == f"retention.ms={difference.wanted}"
    # More partitions than before would part customers from their state: that no command mends.
    more = create(settings(empty_kafka.bootstrap, partitions="5"))
    assert {each.command for outcome in more for each in outcome.differences if each.setting == "partitions"} == {""}


def test_topics_that_do_not_fit_each_other_are_refused(empty_kafka: Kafka) -> None:
    mine = settings(empty_kafka.bootstrap)
    with pytest.raises(TopicsError, match=r"transactions, .*topics create"):
        look(Broker(mine))
    empty_kafka.create("transactions-priority", partitions=2)
    create(mine)
    with pytest.raises(TopicsError, match="transactions-priority 2"):
        look(Broker(mine))


def test_a_broker_that_does_not_answer_or_lets_nobody_in_is_named(kafka: Kafka) -> None:
    (port,) = free_ports(1)
    with pytest.raises(BrokerError, match=rf"127.0.0.1:{port}.*TIERWATCH_BROKER"):
        Broker(settings(f"127.0.0.1:{port}")).metadata(seconds=1)
    credentials = {"sasl_username": "nobody", "sasl_password": "a secret"}
    wrong = settings(kafka.sasl_bootstrap, security_protocol="SASL_PLAINTEXT", **credentials)
    with pytest.raises(CredentialsError) as refused:
        create(wrong)
    assert "a secret" not in str(refused.value) + repr(wrong)
