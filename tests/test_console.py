"""The command line: what it says to somebody who is lost, how it ends, and that it starts fast."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agents.exit_codes import Exit
from console.errors import CommandError
from console.exit_codes import MEANINGS
from console.generate import CLI, reference
from console.mapping import parse_mapping
from console.terminal import shown
from console.working import until
from pipeline.policy.load import default_yaml
from tests import command

DOCS = CLI.parent


def tierwatch(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    done = command.tierwatch(*arguments, stdin=b"", **environment)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_without_arguments_it_says_where_to_start() -> None:
    done = tierwatch()
    assert done.returncode == Exit.SETTINGS
    said = done.stdout + done.stderr
    for word in ("demo", "worker", "simulate", "ingest", "replay", "topics", "policy", "Start with `tierwatch demo`"):
        assert word in said


def test_help_is_help() -> None:
    done = tierwatch("--help")
    assert done.returncode == 0
    assert "Start with `tierwatch demo`" in done.stdout


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["replai"], "Did you mean 'replay'"),
        (["replay"], "Try 'tierwatch replay --help'"),
        (["policy", "check"], "Try 'tierwatch policy check --help'"),
        (["ingest", "x.csv"], "Try 'tierwatch ingest --help'"),
    ],
)
def test_wrong_usage_says_what_to_try(arguments: list[str], said: str) -> None:
    done = tierwatch(*arguments)
    assert done.returncode == Exit.SETTINGS
    assert said in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["replay", "nowhere"], ["policy", "check", "nowhere"], ["ingest", "--format", "sparkov", "nowhere"]],
)
def test_wrong_file_is_named_on_one_line_and_then_what_to_do(arguments: list[str]) -> None:
    done = tierwatch(*arguments)
    assert (done.returncode, done.stdout) == (Exit.BAD_INPUT, "")
    wrong, what_to_do = done.stderr.splitlines()[-2:]
    assert "cannot read nowhere: no such file or directory" in wrong
    assert "Check the name" in what_to_do
    assert "\x1b" not in done.stderr


def test_wrong_broker_is_told_with_what_to_change() -> None:
    done = tierwatch("topics", "create", TIERWATCH_BROKER="localhost:1")
    assert done.returncode == Exit.NO_BROKER
    assert "localhost:1" in done.stderr
    assert "TIERWATCH_BROKER" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_places_are_told_as_they_are_and_never_as_pictures(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("#\n" * 99 + "name: small\n")  # `:100:` is a picture to some
    done = tierwatch("replay", "--policy", file, "-")
    assert done.returncode == Exit.BAD_INPUT
    assert re.search(rf"^{re.escape(str(file))}:100:\d+ ", done.stderr, re.MULTILINE)


def test_everything_that_is_wrong_in_the_environment_is_told_at_once() -> None:
    done = tierwatch("topics", "create", TIERWATCH_BROKER="a:b", TIERWATCH_PARTITIONS="many")
    assert done.returncode == Exit.SETTINGS
    assert "TIERWATCH_BROKER" in done.stderr
    assert "TIERWATCH_PARTITIONS" in done.stderr


def test_fault_of_our_own_is_one_line_and_a_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of tune")

    monkeypatch.setattr("console.replay.check_readable", fail)
    quiet = tierwatch("replay", "-")
    assert quiet.returncode == Exit.FAILED
    assert quiet.stderr.splitlines()[0] == "tierwatch replay: RuntimeError: out of tune"
    assert "--debug" in quiet.stderr
    with pytest.raises(RuntimeError, match="out of tune"):
        tierwatch("--debug", "replay", "-")


def test_policy_that_fits_is_named_with_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(default_yaml())
    done = tierwatch("policy", "check", file, "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["ok"]
    assert said["problems"] == []
    assert said["digest"] in tierwatch("policy", "check", file).stdout


def test_policy_that_does_not_fit_has_all_its_problems_named_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    yaml = default_yaml().decode().replace("lateness: 24h", "lateness: soon").replace("skew: 5m", "skw: 5m")
    file.write_text(yaml)
    done = tierwatch("policy", "check", file)
    assert done.returncode == Exit.BAD_INPUT
    lines = yaml.splitlines()
    lateness, skew = (next(n for n, line in enumerate(lines, 1) if line.startswith(name)) for name in ("late", "skw"))
    assert f"{file}:{lateness}:11: lateness: " in done.stdout
    assert f"{file}:{skew}:1: " in done.stdout
    problems = json.loads(tierwatch("policy", "check", file, "--json").stdout)["problems"]
    assert {problem["line"] for problem in problems} >= {lateness, skew}


def test_help_does_not_wait_for_kafka_clients_and_number_crunchers() -> None:
    code = (
        "import console.main, sys; print(*{'aiokafka', 'confluent_kafka', 'faust', 'numpy', 'redis'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_reference_is_current() -> None:
    assert CLI.read_text(encoding="utf-8") == reference(), "run `python -m console.generate`"


def test_every_exit_code_has_its_meaning() -> None:
    assert {*Exit} <= {*MEANINGS}


def test_mapping_of_the_documentation_is_one() -> None:
    text = (DOCS / "ingest.md").read_text(encoding="utf-8")
    whole, further = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    mapping = parse_mapping(whole)
    assert mapping.source == "bank-7"
    fields = whole.split("[[transaction]]")[1].split("[label]")[0]
    assert len(parse_mapping(whole + further + fields).transaction) == 2


def test_what_anybody_sent_is_shown_and_not_obeyed() -> None:
    assert shown(b"\x1b]0;all is well\x07\x1b[2J\r\n{\xff") == "\\x1b]0;all is well\\x07\\x1b[2J\\r\\n{\ufffd"
    assert shown("naïve 漢字") == "naïve 漢字"


@pytest.mark.parametrize("name", ["", " ", "a\x1b[2Jb", "x" * 129])
@pytest.mark.parametrize(
    "words", [("alerts", "close", "a", "--label", "fraud"), ("cases", "assign", "c", "--to", "ada")]
)
def test_nobody_does_nothing(words: tuple[str, ...], name: str) -> None:
    done = tierwatch(*words, "--actor", name)
    assert done.returncode == Exit.SETTINGS
    assert "is nobody's name" in done.stderr


@pytest.mark.parametrize("duration", ["9" * 15 + "d", "0m", "1441m", "\u0663h", "h", ""])
def test_nobody_sleeps_for_no_time_or_too_long(duration: str) -> None:
    with pytest.raises(CommandError, match="no time to sleep"):
        until(duration)


@pytest.mark.parametrize(
    "command",
    [("cases", "snooze", "c", "--for", "1h"), ("alerts", "close", "a", "--label", "fraud"), ("dlq", "replay")],
)
def test_a_reason_that_no_record_can_hold_is_refused(command: tuple[str, ...]) -> None:
    done = tierwatch(*command, "--actor", "ada", "--why", "\udcff")
    assert (done.returncode, "cannot be read" in done.stderr) == (Exit.SETTINGS, True)
