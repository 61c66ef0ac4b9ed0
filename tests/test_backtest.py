"""A backtest says what a replay under each policy says, in however many processes; frauds are counted by labels."""

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exit_codes import Exit
from console.backtest.html import page
from console.backtest.report import Report, report
from console.backtest.run import run
from console.record_lines import write_line
from console.replay import replay
from load_tests.month import Month
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.policy.rewrite import with_limits
from pipeline.record import Message
from schemas.decision import Alert
from schemas.disposition import Disposition
from schemas.timestamps import format_ms, parse_ms
from tests.test_console import tierwatch

PAYMENTS = 3_000


class History:
    """A month in a file; every tenth payment has a label, every twentieth is fraud, known weeks later."""

    def __init__(self, folder: Path) -> None:
        month = Month(PAYMENTS, 7)
        trusting = load_policy(month.policy_yaml)
        tight = {
            tier.name: {"count_1h": 4, "count_24h": 6, "amount_per_transaction": 30_000} for tier in trusting.tiers
        }
        texts = [
            _with_shadow(with_limits(month.policy_yaml, tight, version), rule)
            for version, rule in ((2, "count_24h"), (3, "amount_per_transaction"))
        ]
        self.old, self.new = map(load_policy, texts)
        self.files = {"old": folder / "old.yaml", "new": folder / "new.yaml", "history": folder / "history.jsonl"}
        self.files["old"].write_bytes(texts[0])
        self.files["new"].write_bytes(texts[1])
        self.frauds: dict[str, int] = {}
        self.labels: dict[str, bool] = {}
        self.lines = []
        labels = []
        for record in [*month.grants(), *month.payments()]:
            line = write_line(Message(record.topic, record.key, record.value))[:-2]
            self.lines.append(line + b',"timestamp":%d}' % record.timestamp)
            said = json.loads(record.value or b"{}")
            if record.topic == "transactions" and record.offset % 10 == 0:
                self.labels[said["transaction_id"]] = record.offset % 20 == 0
                if record.offset % 20 == 0:
                    self.frauds[said["transaction_id"]] = said["amount"]
                labels.append(self._label(said, fraud=record.offset % 20 == 0))
        self.lines += labels
        self.files["history"].write_bytes(b"\n".join([*self.lines, b"no record"]))

    def _label(self, said: dict[str, Any], *, fraud: bool) -> bytes:
        label = Disposition(
            disposition_id=f"label-{said['transaction_id']}",
            customer_id=said["customer_id"],
            occurred_at=format_ms(parse_ms(said["occurred_at"]) + 10**9),
            actor="desk",
            label="fraud" if fraud else "genuine",
            status="final",
            transaction_id=said["transaction_id"],
            source=said["source"],
        )
        return b'{"topic":"dispositions","value":%b}' % msgspec.json.encode(label)

    def alerts(self, policy: Policy) -> dict[str, Alert]:
        """What a replay says, by transaction."""
        said = [message for message in replay(self.lines, policy) if message.topic == "alerts"]
        alerts = [msgspec.json.decode(message.value or b"", type=Alert) for message in said]
        return {alert.transaction_id: alert for alert in alerts}


def _with_shadow(yaml: bytes, rule: str) -> bytes:
    live = f"{rule}: {{mode: live".encode()
    assert live in yaml
    return yaml.replace(live, f"{rule}: {{mode: shadow".encode())


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("backtest"))


@pytest.fixture(scope="module")
def told(history: History) -> Report:
    return _report(history, 2)


def _report(history: History, processes: int) -> Report:
    policies = [history.new, history.old]
    return report(run([str(history.files["history"])], "", policies, processes), policies, analysts=2)


def test_it_says_what_a_replay_under_each_policy_says(history: History, told: Report) -> None:
    new, old = (history.alerts(policy) for policy in (history.new, history.old))
    assert 0 < len(new) != len(old) > 0
    assert [side.alerts for side in told.sides] == [len(new), len(old)]
    assert told.transactions == PAYMENTS
    for side, alerts in zip(told.sides, (new, old), strict=True):
        labelled = [history.labels[each] for each in alerts if each in history.labels]
        assert side.precision == round(sum(labelled) / len(labelled), 4)
        assert side.recall == round(len(alerts.keys() & history.frauds.keys()) / len(history.frauds), 4)
        assert side.caught_minor == sum(history.frauds[each] for each in alerts.keys() & history.frauds.keys())
        assert side.caught_minor + side.missed_minor == sum(history.frauds.values())
        assert side.alerts_per_analyst_day == pytest.approx(len(alerts) / told.days / 2, abs=0.01)
        assert sum(side.daily) == len(alerts)


def test_what_is_gained_and_lost_is_told_per_tier_and_rule(history: History, told: Report) -> None:
    new, old = (_by_rule(history.alerts(policy)) for policy in (history.new, history.old))
    assert {(line.tier, line.rule): (line.old, line.new) for line in told.lines if line.old or line.new} == {
        at: (len(old.get(at, ())), len(new.get(at, ()))) for at in new.keys() | old.keys()
    }
    for line in told.lines:
        gained = new.get((line.tier, line.rule), set()) - old.get((line.tier, line.rule), set())
        assert line.gained == len(gained)
        assert line.gained_frauds == len(gained & history.frauds.keys())
        assert line.new - line.gained == line.old - line.lost
    assert any(line.gained_frauds for line in told.lines)
    assert any(line.lost and line.shadow for line in told.lines)


def _by_rule(alerts: dict[str, Alert]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for transaction_id, alert in alerts.items():
        for signal in alert.signals:
            if signal.mode == "live":
                found.setdefault((alert.tier, signal.rule), set()).add(transaction_id)
    return found


def test_one_process_says_the_same_as_three(history: History, told: Report) -> None:
    assert _report(history, 1) == _report(history, 3) == told


@pytest.mark.parametrize("processes", [1, 2])
def test_labels_teach_of_merchants_when_they_mature_whoever_asked(tmp_path: Path, processes: int) -> None:
    """As a replay says where labels tell themselves where their payments went."""
    policy, hour = load_policy(Path("pipeline/policy/default.yaml").read_bytes()), 3_600_000

    def paid(number: int, merchant: str) -> dict[str, Any]:
        return {
            "transaction_id": f"t-{number}", "source": "p", "customer_id": f"c-{number}", "amount": 900,
            "occurred_at": format_ms(10**12 + number * hour // 4), "currency": "USD", "transaction_type": "purchase",
            "merchant_id": merchant,
        }  # fmt: skip

    def said(number: int, payment: dict[str, Any]) -> dict[str, Any]:
        return {
            "disposition_id": f"d-{number}", "customer_id": payment["customer_id"], "actor": "desk", "status": "final",
            "occurred_at": format_ms(10**12 + 2 * hour), "transaction_id": payment["transaction_id"], "source": "p",
            "label": "fraud" if payment["merchant_id"] == "bad" else "genuine",
        }  # fmt: skip

    payments = [paid(number, "bad" if number % 2 else "good") for number in range(20)]
    lines = [json.dumps({"topic": "transactions", "value": each}) for each in payments]
    labels = [json.dumps({"topic": "dispositions", "value": said(*each)}) for each in enumerate(payments[:8])]
    full = [
        json.dumps(
            {
                "topic": "dispositions",
                "value": said(number, each) | {"paid_at": each["occurred_at"], "merchant_id": each["merchant_id"]},
            }
        )
        for number, each in enumerate(payments[:8])
    ]
    clock = json.dumps({"clock": 10**12 + 3 * hour})
    replayed = replay([each.encode() for each in [*lines[:9], *full, *lines[9:12], clock, *lines[12:]]], policy)
    alerts = [json.loads(each.value or b"")["transaction_id"] for each in replayed if each.topic == "alerts"]
    assert alerts == ["t-13", "t-15", "t-17", "t-19"]
    history = tmp_path / "history.jsonl"
    history.write_text("\n".join([*lines[:9], *labels, *lines[9:]]))
    judged = run([str(history)], "", [policy], processes)
    assert {each.live for each in judged.said[0].fired.values() if each.alert} == {("compromised_merchant",)}
    assert sorted(decision_id[-4:] for decision_id, each in judged.said[0].fired.items() if each.alert) == alerts


def test_the_command_prints_json_and_writes_a_page_that_needs_nothing_else(history: History, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    files = {name: str(path) for name, path in history.files.items()}
    options = ("--policy", files["new"], "--against", files["old"], "--html", str(html), "--json", "--processes", "1")
    done = tierwatch("backtest", *options, files["history"])
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["report"]["transactions"] == PAYMENTS
    assert said["transactions_per_s"] > 0
    tags = _Tags()
    tags.feed(html.read_text())
    assert tags.open == []
    assert tags.seen["polyline"] == 2
    assert not tags.seen.keys() & {"script", "link", "img"}
    assert "http" not in html.read_text()


class _Tags(HTMLParser):
    """The tags of a page; `open` are those that were never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's signature
        self.seen[tag] += 1
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the same
        self.seen[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_shows_names_as_they_are(told: Report) -> None:
    line = msgspec.structs.replace(told.lines[0], rule="<b>", gained=3)
    text = page(msgspec.structs.replace(told, lines=(line,)), ["a&b.jsonl"])
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "a&amp;b.jsonl" in text


def test_one_policy_alone_is_told_without_gains(history: History) -> None:
    policies = [history.new]
    alone = report(run([str(history.files["history"])], "", policies, 1), policies, analysts=1)
    assert len(alone.sides) == 1
    assert "lost, by rule" not in page(alone, ["history"])


@pytest.mark.parametrize("files,words", [(["-"], "Name files"), (["nowhere.jsonl"], "cannot read nowhere.jsonl")])
def test_a_mistake_is_named(files: list[str], words: str) -> None:
    done = tierwatch("backtest", "--policy", "pipeline/policy/default.yaml", *files)
    assert done.returncode == Exit.BAD_INPUT
    assert words in done.stderr
