"""What the README shows is so: its commands run, its alert is real, its links lead somewhere.

What needs a broker is run by tests/kafka/test_readme.py.
"""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from agents.settings import Settings
from schemas.topics import TOPICS
from tests import first_alert
from tests.command import tierwatch
from tests.readme import CONNECT, README, ROOT, block, blocks, run
from tests.services.compose import Compose

# Each block that a reader may copy, by the words that name it, and the test that runs it.
RUN_BY = {
    "make run": "test_make_has_the_commands",
    "tierwatch replay": "test_the_first_alert_is_what_replay_says",
    '"reasons":': "test_the_first_alert_is_what_replay_says",
    "localhost:9092": "tests/kafka/test_readme.py",
    "import Producer": "tests/kafka/test_readme.py",
    "KafkaProducer;": "tests/kafka/test_readme.py",
    "kcat -P": "tests/kafka/test_readme.py",
    "kcat -C": "tests/kafka/test_readme.py",
    "make up": "test_make_has_the_commands",
    "--write-policy": "test_the_city_gets_a_policy_that_trusts_it",
    "SASL_SSL": "tests/kafka/test_connect.py",
}
PAGES = [
    page
    for page in sorted(ROOT.rglob("*.md"))
    if not any(part.startswith((".", "node_modules")) for part in page.relative_to(ROOT).parts)
]


def test_every_block_is_run_by_one_test() -> None:
    runnable = [each for page in (README, CONNECT) for each in blocks(page) if each.language not in {"mermaid", "text"}]
    claims = {each.where: [part for part in RUN_BY if part in each.text] for each in runnable}
    assert {where: parts for where, parts in claims.items() if len(parts) != 1} == {}
    assert len(runnable) == len(RUN_BY)
    for test in RUN_BY.values():
        assert (ROOT / test).is_file() if "/" in test else test in globals()


@pytest.mark.parametrize("words, does", [("make run", ".venv/bin/tierwatch demo"), ("make up", "docker compose up")])
def test_make_has_the_commands(words: str, does: str) -> None:
    # What they start has tests of its own: tests/test_demo.py, tests/test_compose.py, and all the others.
    commands = [shlex.split(line, comments=True) for line in block(README, "sh", words).text.splitlines()]
    assert {command[0] for command in commands} == {"make"}
    for command in commands:
        would = subprocess.run([*command, "--dry-run"], check=True, cwd=ROOT, text=True, capture_output=True).stdout
        assert would
    assert (
        does
        in subprocess.run([*words.split(), "--dry-run"], check=True, cwd=ROOT, text=True, capture_output=True).stdout
    )


def test_the_first_alert_is_what_replay_says() -> None:
    said = run(block(README, "sh", "tierwatch replay").text)
    assert said.encode() == (first_alert.STORY / "then.jsonl").read_bytes()
    messages = [json.loads(line) for line in said.splitlines()]
    (alert,) = (message["value"] for message in messages if message["topic"] == "alerts")
    shown = json.loads(block(README, "json", '"reasons":').text)
    assert _abridged(alert, shown) == shown
    assert [message["value"]["outcome"] for message in messages if message["topic"] == "decisions"] == [
        *["pass"] * 4,
        "review",
    ]
    (request,) = (message["value"] for message in messages if message["topic"] == "re-reviews")
    assert request["alert_id"] == alert["alert_id"]


def _abridged(whole: Any, shown: Any) -> Any:  # noqa: ANN401 - JSON
    """What is left of `whole` when it is cut to the members that `shown` has."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        return {name: _abridged(whole.get(name), value) for name, value in shown.items()}
    if isinstance(shown, list) and isinstance(whole, list):
        return [_abridged(have, value) for have, value in zip(whole, shown, strict=False)]
    return whole


def test_the_story_of_the_first_alert_is_current() -> None:
    assert first_alert.given() == (first_alert.STORY / "given.jsonl").read_bytes()
    assert first_alert.then() == (first_alert.STORY / "then.jsonl").read_bytes()


def test_seven_fields_are_required() -> None:
    required = json.loads((ROOT / "schemas" / "json" / "transaction.json").read_text())["required"]
    published = re.findall(r"echo '(\{.*\})'", block(README, "sh", "kcat -P").text, re.DOTALL)[0]
    payment = json.loads(re.sub(r"'\$\(.*?\)'", "now", published))
    # The schema leaves out the one that may stand in a header.
    assert payment.keys() == {*required, "source"}
    assert len(payment) == 7


def test_the_city_gets_a_policy_that_trusts_it(compose: Compose, tmp_path: Path) -> None:
    first, second = block(README, "sh", "--write-policy").text.splitlines()
    run(first, tmp_path)
    run(f".venv/bin/tierwatch policy check {tmp_path / 'city.yaml'}")

    # No engine runs here, so Compose says what it would start.
    assignment, *command = shlex.split(second)
    assert command[:2] == ["docker", "compose"]
    profile = command[2 : command.index("up")]
    name, value = assignment.split("=")
    services = json.loads(compose.config(ROOT / "docker-compose.yml", *profile, environment={name: value}))["services"]
    assert "simulator" in services
    for each in ("worker", "simulator"):
        (policy,) = (mount for mount in services[each]["volumes"] if mount["target"] == "/etc/tierwatch/policy.yaml")
        assert policy["source"] == str(ROOT / "city.yaml")


def test_the_picture_shows_topics_that_exist() -> None:
    picture = next(each.text for each in blocks(README) if each.language == "mermaid")
    shown = {name for label in re.findall(r'\[/"?(.*?)"?/\]', picture) for name in label.split("<br>")}
    assert shown >= {"transactions", "alerts", "re-reviews", "dead-letters"}
    assert {name for name in shown if " " not in name} <= TOPICS.keys()


def test_commands_in_the_text_exist() -> None:
    text = "".join(page.read_text() for page in (README, CONNECT, *(ROOT / "dashboards" / "runbooks").glob("*.md")))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets
    for words in sorted(set(re.findall(r"`tierwatch((?: [a-z][a-z-]*)+)", text))):
        said = tierwatch(*words.split(), "--help")
        assert (said.returncode, b"Usage: tierwatch" in said.stdout) == (0, True), words


def test_links_lead_somewhere() -> None:
    dead = {str(page.relative_to(ROOT)): links for page in PAGES if (links := _dead_links(page))}
    assert dead == {}


def _dead_links(page: Path) -> list[str]:
    tokens = (child for token in MarkdownIt().parse(page.read_text()) for child in token.children or [])
    links = [unquote(str(token.attrGet("href"))) for token in tokens if token.type == "link_open"]
    paths = [link.partition("#")[0] for link in links if not urlsplit(link).scheme and "NNNN" not in link]
    return [path for path in paths if path and not (page.parent / path).exists()]


def test_settings_have_their_names() -> None:
    named = {name for page in PAGES for name in re.findall(r"TIERWATCH_[A-Z_]*[A-Z]", page.read_text())}
    others = {"TIERWATCH_POLICY_FILE", "TIERWATCH_SSL", "TIERWATCH_COMPILE"}
    assert Settings.unknown(dict.fromkeys(named - others, "")) == []


def test_folders_are_all_told() -> None:
    tracked = subprocess.run(["git", "ls-files"], check=False, cwd=ROOT, text=True, capture_output=True).stdout
    folders = {line.split("/")[0] for line in tracked.splitlines() if "/" in line and not line.startswith(".")}
    told = set(re.findall(r"^\| \[(\w+)/\]", README.read_text(), re.MULTILINE))
    assert folders <= told
