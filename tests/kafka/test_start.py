"""What can be wrong before a worker works: one clear line, and an exit code to act on."""

from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from load_tests.services.run import free_ports
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml
from tests.kafka.house import Worker, prepare
from tests.kafka.own_broker import OwnBroker

# Whoever comes without credentials may do all; whoever has a name, what rules allow.
ACCESS_CONTROL = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


def lines(worker: Worker, word: str) -> list[str]:
    return [line for line in worker.log().splitlines() if word in line]


def test_a_broker_that_is_not_there_is_waited_for_with_one_line_an_attempt(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Worker(tmp_path, f"127.0.0.1:{port}") as worker:
        until(lambda: len(lines(worker, "no Kafka answers")) >= 2, "a second attempt", seconds=60)
        assert worker.stop() == Exit.NO_BROKER
    said = lines(worker, "no Kafka answers")
    assert all(f"127.0.0.1:{port}" in line and "TIERWATCH_BROKER" in line and "next_attempt_s" in line for line in said)
    expected = [line for what in ("metrics served", "the pipeline is") for line in lines(worker, what)]
    assert set(worker.log().splitlines()) - set(said) == set(expected)


def test_wrong_credentials_end_the_worker_and_are_not_shown(kafka: Kafka, tmp_path: Path) -> None:
    wrong = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "nobody", "sasl_password": "a secret"}
    with Worker(tmp_path, kafka.sasl_bootstrap, **wrong) as worker:
        assert worker.ended() == Exit.CREDENTIALS
    (line,) = lines(worker, "refuses these credentials")
    assert kafka.sasl_bootstrap in line
    assert "TIERWATCH_SASL_USERNAME" in line
    assert "a secret" not in worker.log()


def test_right_credentials_let_it_in(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    right = {"sasl_username": empty_kafka.username, "sasl_password": empty_kafka.password}
    with Worker(tmp_path, empty_kafka.sasl_bootstrap, security_protocol="SASL_PLAINTEXT", **right) as worker:
        worker.ready()
        assert worker.stop() == Exit.OK


def test_missing_topics_name_the_command_that_makes_them(empty_kafka: Kafka, tmp_path: Path) -> None:
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        assert worker.ended() == Exit.TOPICS
    assert "`tierwatch topics create`" in worker.log()


def test_a_policy_that_is_none_is_refused_where_it_is_wrong(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(default_yaml().replace(b"lateness: 24h", b"lateness: soon"))
    with Worker(tmp_path, "127.0.0.1:1", policy=str(policy)) as worker:
        assert worker.ended() == Exit.BAD_INPUT
    number = 1 + default_yaml().split(b"\n").index(
        next(line for line in default_yaml().split(b"\n") if line.startswith(b"lateness"))
    )
    assert f"{policy}:{number}:" in worker.log()


def test_a_worker_with_another_first_policy_does_not_join(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        worker.ready()
        assert worker.stop() == Exit.OK
    other = tmp_path / "other.yaml"
    other.write_bytes(default_yaml() + b"# changed by one hand\n")
    with Worker(tmp_path, empty_kafka.bootstrap, policy=str(other)) as worker:
        assert worker.ended() == Exit.BAD_INPUT
    assert "TIERWATCH_POLICY" in worker.log()


@pytest.mark.parametrize("setting", [{"metrics_port": "http"}, {"security_protocol": "SASL_SSL"}, {"broker": "a:b"}])
def test_settings_that_cannot_be_used_end_the_worker(tmp_path: Path, setting: dict[str, str]) -> None:
    with Worker(tmp_path, **{"broker": "127.0.0.1:1", **setting}) as worker:
        assert worker.ended() == Exit.SETTINGS
    assert f"TIERWATCH_{next(iter(setting)).upper()}" in worker.log()


def test_a_permission_that_is_missing_is_named(tmp_path: Path) -> None:
    worker_folder = tmp_path / "worker"
    worker_folder.mkdir()
    with OwnBroker(tmp_path / "broker", ACCESS_CONTROL) as broker:
        kafka = broker.kafka
        prepare(kafka)
        everything = [
            AclBinding(
                kind,
                "*",
                ResourcePatternType.LITERAL,
                f"User:{kafka.username}",
                "*",
                AclOperation.ALL,
                AclPermissionType.ALLOW,
            )
            for kind in (ResourceType.TOPIC, ResourceType.GROUP)
        ]
        for done in kafka.admin.create_acls(everything).values():
            done.result()
        known = {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_username": kafka.username,
            "sasl_password": kafka.password,
        }
        with Worker(worker_folder, kafka.sasl_bootstrap, **known) as worker:
            assert worker.ended() == Exit.CREDENTIALS
        (line,) = lines(worker, "does not allow")
        assert "transactional id tierwatch-" in line
        assert "bug of ours" not in worker.log()
