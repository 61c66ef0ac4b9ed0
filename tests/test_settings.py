"""The environment becomes settings in one place: all problems at once, secrets never shown."""

import dataclasses
from pathlib import Path

import pytest

from agents.exit_codes import Exit
from agents.settings import DEFAULT_POLICY, Settings, SettingsError
from agents.worker import _first_policy
from pipeline.policy.load import PolicyError

SASL = {
    "TIERWATCH_SECURITY_PROTOCOL": "sasl_ssl",
    "TIERWATCH_SASL_MECHANISM": "scram-sha-512",
    "TIERWATCH_SASL_USERNAME": "worker",
    "TIERWATCH_SASL_PASSWORD": "a secret",
}


def problems(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({f"TIERWATCH_{name}": text for name, text in variables.items()})
    return refused.value.problems


def test_nothing_set_means_a_broker_on_this_machine_and_the_packaged_policy() -> None:
    settings = Settings.from_environment({"PATH": "/bin", "TIERWATCH_REDIS": "  "})
    assert (settings.broker, settings.redis, settings.policy) == ("localhost:9092", "", DEFAULT_POLICY)
    assert DEFAULT_POLICY.is_file()
    assert settings.aiokafka()["security_protocol"] == "PLAINTEXT"
    assert settings.librdkafka() == {"bootstrap.servers": "localhost:9092", "security.protocol": "PLAINTEXT"}


def test_brokers_may_be_several_with_or_without_a_port() -> None:
    settings = Settings.from_environment({"TIERWATCH_BROKER": "one, two:19092,[::1]:9093"})
    assert settings.aiokafka()["bootstrap_servers"] == ["one:9092", "two:19092", "[::1]:9093"]


def test_credentials_reach_both_clients() -> None:
    settings = Settings.from_environment(SASL)
    python, librdkafka = settings.aiokafka(), settings.librdkafka()
    assert (python["sasl_mechanism"], librdkafka["sasl.mechanism"]) == ("SCRAM-SHA-512",) * 2
    assert (python["sasl_plain_password"], librdkafka["sasl.password"]) == ("a secret",) * 2
    assert (python["security_protocol"], librdkafka["security.protocol"]) == ("SASL_SSL",) * 2
    assert python["ssl_context"].check_hostname


def test_files_of_tls_reach_librdkafka(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    settings = Settings.from_environment(
        {
            "TIERWATCH_SECURITY_PROTOCOL": "SSL",
            "TIERWATCH_SSL_CA_FILE": str(tmp_path / "ca"),
            "TIERWATCH_SSL_CERT_FILE": str(tmp_path / "cert"),
            "TIERWATCH_SSL_KEY_FILE": str(tmp_path / "key"),
            "TIERWATCH_SSL_KEY_PASSWORD": "a secret",
        }
    )
    assert settings.librdkafka() == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "SSL",
        "ssl.ca.location": str(tmp_path / "ca"),
        "ssl.certificate.location": str(tmp_path / "cert"),
        "ssl.key.location": str(tmp_path / "key"),
        "ssl.key.password": "a secret",
    }


def test_secrets_are_not_shown() -> None:
    settings = Settings.from_environment(
        {**SASL, "TIERWATCH_HASH_KEY": "a secret", "TIERWATCH_REDIS": "redis://:a secret@r"}
    )
    assert "a secret" not in repr(settings) + str(settings)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = problems(BROKER="here:there", PARTITIONS="0", LINGER="long", POLICY="/no/such/file", REDIS="localhost:6379")
    assert [problem.split()[0] for problem in found] == [
        "TIERWATCH_BROKER",
        "TIERWATCH_REDIS",
        "TIERWATCH_POLICY",
        "TIERWATCH_PARTITIONS",
        "TIERWATCH_LINGER",
    ]


@pytest.mark.parametrize(
    "variables,told",
    [
        ({"SECURITY_PROTOCOL": "TLS"}, "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "TIERWATCH_SASL_USERNAME and TIERWATCH_SASL_PASSWORD"),
        ({"SASL_USERNAME": "worker"}, "TIERWATCH_SECURITY_PROTOCOL"),
        ({"SSL_CA_FILE": __file__}, "TIERWATCH_SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SSL", "SSL_CERT_FILE": __file__}, "TIERWATCH_SSL_KEY_FILE"),
        ({"METRICS_PORT": "70000"}, "from 0 to 65535"),
        ({"SESSION_TIMEOUT": "nan"}, "from 6 to 300"),
        ({"BROKER": "kafka://here:9092"}, "host:port"),
    ],
)
def test_a_problem_names_the_variable_to_change(variables: dict[str, str], told: str) -> None:
    (problem,) = problems(**variables)
    assert told in problem


@pytest.mark.parametrize(
    "misspelt,meant",
    [
        ("BROKERS", "BROKER"),
        ("PARTITION", "PARTITIONS"),
        ("SASL_USER_NAME", "SASL_USERNAME"),
        ("STANDBY_REPLICA", "STANDBY_REPLICAS"),
        ("LOGLEVEL", "LOG_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(misspelt: str, meant: str) -> None:
    assert problems(**{misspelt: ""}) == (f"TIERWATCH_{misspelt} is no setting: TIERWATCH_{meant} is",)


def test_what_others_name_like_ours_is_no_misspelling() -> None:
    of_others = {"TIERWATCH_SERVICE_HOST": "10.0.0.1", "TIERWATCH_PORT_9464_TCP": "x", "TIERWATCH_PORT": "tcp://x:1"}
    environment = {**of_others, "TIERWATCH_COMPILE": "1", "TIERWATCH_BROKER": "y", "HOME": "z"}
    assert Settings.from_environment(environment).broker == "y:9092"
    assert Settings.unknown(environment) == sorted(of_others)


def test_every_setting_says_where_it_comes_from_and_what_it_means() -> None:
    variables = [each.metadata["variable"] for each in dataclasses.fields(Settings)]
    assert len(set(variables)) == len(variables)
    assert all(each.metadata["meaning"] for each in dataclasses.fields(Settings))


def test_the_operators_guide_lists_every_setting_with_its_default() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "operate.md").read_text()
    for each in dataclasses.fields(Settings):
        default = "" if each.default in {"", None, DEFAULT_POLICY} else f"`{each.default}` "
        assert f"| `{each.metadata['variable']}` | {default}| {each.metadata['meaning']} |" in guide


def test_the_operators_guide_lists_every_exit_code_of_a_worker() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "operate.md").read_text()
    of_other_commands = {"MISMATCH", "GONE", "REFUSED", "UNWELL"}
    assert all(f"\n| {code.value} | " in guide for code in Exit if code.name not in of_other_commands)


def test_a_worker_does_not_begin_with_a_policy_that_is_quiet_about_what_is_to_come(
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.yaml"
    text = DEFAULT_POLICY.read_text()
    assert "\nskew:" in text
    policy.write_text(text.replace("\nskew:", "\nwarm_until: 2999-01-01T00:00:00Z\nskew:", 1))
    settings = Settings.from_environment({"TIERWATCH_POLICY": str(policy)})
    with pytest.raises(PolicyError, match="warm_until: is ahead"):
        _first_policy(settings)
