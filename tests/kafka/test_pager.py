"""The pager on a real broker, Alertmanager and receivers: one incident, one page, whoever is killed on the way."""

import hashlib
import hmac
import json
import re
import signal
import urllib.error
import urllib.request
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import msgspec
import yaml

from agents.casework import cases
from agents.settings import Settings
from load_tests.services.alertmanager import Alertmanager, impatient
from load_tests.services.kafka import Kafka
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.run import Run
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml
from schemas.case import Case
from schemas.transaction import Transaction
from tests.command import tierwatch
from tests.kafka.alerting import Pager, alert, pager, records, standing
from tests.kafka.house import Worker, payment, prepare, publish, publish_payments, read

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "dashboards" / "alertmanager" / "alertmanager.yml").read_text())
# As PagerDuty documents its webhook, version 3.
GOLDEN = Path(__file__).parents[1] / "pagerduty"
CASE = Path(__file__).parents[2] / "schemas" / "golden" / "case" / "v1-minimal.json"
CAMPAIGN = 2_000
STOLEN = 1_000
# One payment that is too large wakes somebody.
AT_ONCE = (b"{mode: live, points: 75, severity: high,", b"{mode: live, points: 95, severity: critical,")
SINGLE = 10


def campaign(first: int, last: int) -> list[tuple[str | bytes | None, bytes | None]]:
    """Breaches of as many customers, all at one merchant."""
    return records(alert(number, f"c-campaign-{number}", merchant_id="m-campaign") for number in range(first, last))


def paged(told: Receiver) -> set[str]:
    return {body["groupLabels"]["case"] for body in told.at("/security-page")}


def test_one_incident_is_one_page_and_a_killed_pager_changes_nothing(
    empty_kafka: Kafka, alertmanager: str, run: Run, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    with receiver() as told:
        manager = Alertmanager(alertmanager, run, folder, impatient(CONFIG, told.address))
        receivers = {
            "alertmanager": f"http://{manager.address}",
            "pagerduty": told.address,
            "pagerduty_key": "r-1",
            "webhook": f"{told.address}/hook",
            "webhook_key": "w-1",
        }
        with pager(tmp_path, empty_kafka, **receivers) as first:
            publish(empty_kafka, "alerts", campaign(0, CAMPAIGN // 2))
            until(lambda: any(case.rule for case in standing(empty_kafka)), "a campaign", seconds=60)
            first.process.send_signal(signal.SIGKILL)
        publish(empty_kafka, "alerts", campaign(CAMPAIGN // 2, CAMPAIGN))
        publish(
            empty_kafka,
            "alerts",
            records(alert(each, f"c-single-{each}", merchant_id=f"m-{each}") for each in range(SINGLE)),
        )
        with pager(tmp_path, empty_kafka, **receivers) as second:

            def all_counted() -> list[Case]:
                found = standing(empty_kafka)
                return found if sum(case.alerts for case in found) == CAMPAIGN + SINGLE else []

            found = until(all_counted, "all to be counted", seconds=90)
            assert sorted(case.alerts for case in found) == [1] * SINGLE + [CAMPAIGN]
            ids = {case.case_id for case in found}
            until(lambda: paged(told) == ids, "each case to be paged")
            until(lambda: incidents(told) == ids, "each case to be an incident")
            until(lambda: {body["case"] for body in told.at("/hook")} == ids, "the webhook to hear of each")
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(30) == 0
        heard = json.dumps([heard.body for heard in told.heard])
        assert not any(name in heard for name in ("c-campaign", "c-single", "m-campaign"))
        assert sorted(each["labels"]["case"] for each in manager.alerts()) == sorted(ids)
        assert told.at("/security-ticket") == []
    listed = tierwatch("cases", "list", "--json", TIERWATCH_BROKER=empty_kafka.bootstrap).stdout.splitlines()
    assert {json.loads(line)["case_id"] for line in listed} == ids
    shown = tierwatch("cases", "list", TIERWATCH_BROKER=empty_kafka.bootstrap).stdout.decode()
    assert f"{CAMPAIGN:,} alerts up to hold" in shown


def test_a_worker_killed_in_a_campaign_leaves_one_incident(
    empty_kafka: Kafka, alertmanager: str, run: Run, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(default_yaml().replace(*AT_ONCE))
    logs = {name: tmp_path / name for name in ("worker", "pager", "alertmanager")}
    for folder in logs.values():
        folder.mkdir()
    with receiver() as told:
        manager = Alertmanager(alertmanager, run, logs["alertmanager"], impatient(CONFIG, told.address))
        receivers = {
            "alertmanager": f"http://{manager.address}",
            "pagerduty": told.address,
            "pagerduty_key": "r-1",
            "policy": str(policy),
        }
        with pager(logs["pager"], empty_kafka, **receivers):
            with Worker(logs["worker"], empty_kafka.bootstrap, policy=str(policy)) as first:
                first.ready()
                publish_payments(empty_kafka, theft(0, STOLEN // 2))
                until(lambda: any(case.rule for case in standing(empty_kafka)), "a campaign", seconds=60)
                publish_payments(empty_kafka, theft(STOLEN // 2, STOLEN))
                first.process.kill()
                first.ended()
            assert len(read(empty_kafka.bootstrap, "alerts")) < STOLEN
            with Worker(logs["worker"], empty_kafka.bootstrap, policy=str(policy)):
                until(
                    lambda: [case.alerts for case in standing(empty_kafka)] == [STOLEN], "all to be counted", seconds=90
                )
            (case,) = standing(empty_kafka)
            until(lambda: incidents(told) == paged(told) == {case.case_id}, "one incident and one page")
        assert {each["labels"]["case"] for each in manager.alerts()} == {case.case_id}


def theft(first: int, last: int) -> list[Transaction]:
    """Payments of as many customers that one rule alone wakes somebody for, all at one merchant."""
    return [payment(each, f"c-{each}", amount=10_000_000, merchant_id="m-1") for each in range(first, last)]


def test_one_bad_record_stops_nobody_and_whoever_acknowledges_in_pagerduty_has_the_case(
    empty_kafka: Kafka, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    bad: list[tuple[str | bytes | None, bytes | None]] = [("customer:c-1", b"no JSON"), ("customer:c-1", b"{}")]
    publish(empty_kafka, "case-events", bad)
    no_time = CASE.read_bytes().replace(b'"due_at":"2026', b'"due_at":"soon 2026')
    publish(empty_kafka, "cases", [("c", b"[]"), ("c", no_time)])
    receivers = {"pagerduty_key": "r-1", "pagerduty_secret": "s-1"}
    with receiver() as told, pager(tmp_path, empty_kafka, pagerduty=told.address, **receivers) as running:
        publish(empty_kafka, "alerts", [("c-1", b"no JSON either"), *records([alert(1, "c-1")])])
        until(lambda: incidents(told), "the incident", seconds=60)
        (case_id,) = incidents(told)
        letters = read(empty_kafka.bootstrap, "dead-letters")
        bad_ones = [b"[]", b"no JSON", b"no JSON either", no_time, b"{}"]
        assert sorted(letter.value() or b"" for letter in letters) == bad_ones
        body = (GOLDEN / "acknowledged.json").read_bytes().replace(b"CASE", case_id.encode())
        assert answered(running, body, "wrong") == HTTPStatus.FORBIDDEN
        assert whose(empty_kafka) == [""]
        assert answered(running, body, "s-1") == answered(running, body, "s-1") == HTTPStatus.ACCEPTED
        until(lambda: whose(empty_kafka) == ["Ana Duty"], "the case to be hers")
        until(lambda: actions(told) == ["trigger", "acknowledge"], "PagerDuty to hear that somebody has it")


def test_one_summary_stands_for_what_is_too_much_and_a_pager_that_begins_anew_knows_who_took_it(
    empty_kafka: Kafka, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    with receiver() as told:
        settings = {"pagerduty": told.address, "pagerduty_key": "r-1", "pages_per_minute": "2"}
        # It takes the cases, and dies before it has told of the summary.
        told.keep = lambda body: "@" not in body["dedup_key"]
        with pager(tmp_path, empty_kafka, **settings) as first:
            publish(empty_kafka, "alerts", records(alert(number, f"c-{number}") for number in range(6)))
            until(lambda: len(incidents(told)) == 2 and told.kept_out, "two pages, and a summary", seconds=60)
            first.process.send_signal(signal.SIGKILL)
        told.keep = None
        with pager(tmp_path, empty_kafka, **settings):
            until(lambda: len(incidents(told)) == 3, "the summary to be told at last", seconds=60)
            (key,) = (key for key in incidents(told) if "@" in key)
            until(lambda: took(empty_kafka, key) == ["pagerduty"], "that to be remembered")
            publish(empty_kafka, "alerts", records([alert(6, "c-6")]))
            until(lambda: summary_of(told, key).startswith("5 more cases"), "one more to be part of it", seconds=60)
            assert len(incidents(told)) == 3


def test_an_end_that_nobody_heard_of_before_the_pager_died_is_told_by_the_next(
    empty_kafka: Kafka, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    with receiver() as told:
        settings = {"pagerduty": told.address, "pagerduty_key": "r-1"}
        with pager(tmp_path, empty_kafka, **settings) as first:
            publish(empty_kafka, "alerts", records([alert(1, "c-1")]))
            until(lambda: actions(told) == ["trigger"], "the page", seconds=60)
            (case_id,) = incidents(told)
            until(lambda: took(empty_kafka, case_id) == ["pagerduty"], "that to be remembered")
            told.keep = lambda body: body["event_action"] != "resolve"
            close = ("cases", "close", case_id, "--label", "genuine", "--actor", "ada")
            assert tierwatch(*close, TIERWATCH_BROKER=empty_kafka.bootstrap).returncode == 0
            until(lambda: told.kept_out, "PagerDuty to refuse the end")
            first.process.send_signal(signal.SIGKILL)
        told.keep = None
        with pager(tmp_path, empty_kafka, **settings):
            until(lambda: actions(told) == ["trigger", "resolve"], "the end to be told", seconds=60)


def test_two_pagers_at_once_are_one(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    folder = tmp_path / "other"
    folder.mkdir()
    with receiver() as told:
        settings = {"pagerduty": told.address, "pagerduty_key": "r-1", "pages_per_minute": "1000"}
        names = [f"c-{number}" for number in range(40)]
        with pager(tmp_path, empty_kafka, **settings), pager(folder, empty_kafka, **settings):
            for number in range(3):
                publish(empty_kafka, "alerts", records(alert(number, name, merchant_id="") for name in names))
            until(lambda: len(incidents(told)) == len(names), "each case to be paged", seconds=60)
            until(lambda: [case.alerts for case in standing(empty_kafka)] == [3] * len(names), "all to be counted")
        assert set(actions(told)) == {"trigger"}


def test_a_storm_on_two_pagers_is_one_limit_and_one_summary_also_where_one_of_them_dies(
    empty_kafka: Kafka, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with receiver() as told, ExitStack() as both:
        settings = {"pagerduty": told.address, "pagerduty_key": "r-1", "pages_per_minute": "5"}
        running = [both.enter_context(pager(folder, empty_kafka, **settings)) for folder in folders]
        until(lambda: all(is_ready(each) for each in running), "both to be ready", seconds=90)
        publish(empty_kafka, "alerts", records(alert(each, f"c-{each}", merchant_id="") for each in range(50)))
        until(lambda: heard_of(told) == 50, "all to be told of", seconds=60)
        (summary,) = (key for key in incidents(told) if "@" in key)
        assert len(incidents(told)) == 5 + 1
        until(lambda: took(empty_kafka, summary) == ["pagerduty"], "that to be remembered")
        teller = next(each for each in running if re.search(r"pages known partitions=\S*0", each.log.read_text()))
        teller.process.send_signal(signal.SIGKILL)
        publish(empty_kafka, "alerts", records(alert(each, f"c-{each}", merchant_id="") for each in range(50, 70)))
        until(lambda: heard_of(told) == 70, "the other to go on", seconds=90)
        assert {key for key in incidents(told) if "@" in key} == {summary}


def heard_of(told: Receiver) -> int:
    """Return of how many cases somebody was woken, one by one or by a summary."""
    alone = {key for key in incidents(told) if "@" not in key}
    shared = [int(summary_of(told, key).split()[0]) for key in incidents(told) - alone]
    return len(alone) + sum(shared)


def is_ready(running: Pager) -> bool:
    try:
        address = f"http://127.0.0.1:{running.port()}/health/ready"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except urllib.error.HTTPError as error:
        error.close()
        return False


def took(kafka: Kafka, key: str) -> list[str]:
    """Return who took a page, as `case-pages` tells."""
    pages = [msgspec.json.decode(page.value() or b"") for page in read(kafka.bootstrap, "case-pages")]
    return [list(page["receivers"]) for page in pages if page["case_id"] == key][-1]


def summary_of(told: Receiver, key: str) -> str:
    return str([event for event in told.at("/v2/enqueue") if event["dedup_key"] == key][-1]["payload"]["summary"])


def actions(told: Receiver) -> list[str]:
    return [event["event_action"] for event in told.at("/v2/enqueue")]


def whose(kafka: Kafka) -> list[str]:
    """Return who has each case, as commands read it: past what cannot be read."""
    return [case.assignee for case in cases(Settings(broker=kafka.bootstrap)).values()]


def answered(running: Pager, body: bytes, secret: str) -> int:
    """Post what PagerDuty would, signed with `secret`."""
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port()}/pagerduty",
        body,
        {"Content-Type": "application/json", "X-PagerDuty-Signature": f"v1=00,v1={signed}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def incidents(told: Receiver) -> set[str]:
    """Return the incidents that PagerDuty would have open."""
    found: set[str] = set()
    for event in told.at("/v2/enqueue"):
        (found.add if event["event_action"] == "trigger" else found.discard)(event["dedup_key"])
    return found


def test_alertmanager_that_is_away_is_told_later_and_by_the_next_pager_again(
    empty_kafka: Kafka, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    with receiver() as told:
        # It refuses twice, as one that starts or is overloaded does; then it is there.
        told.refusals = [503, 503]
        with pager(tmp_path, empty_kafka, alertmanager=told.address) as running:
            publish(empty_kafka, "alerts", records(alert(number, "c-1") for number in range(3)))
            until(lambda: "3 alerts on one customer, up to hold" in summaries(told), "to be told at last", seconds=60)
            log = until(lambda: _with("a receiver takes cases again", tmp_path / "pager.log"), "the log to say so")
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(30) == 0
        assert log.count("a receiver does not take cases") == 1
        # It may have forgotten what the next pager never told.
        del told.heard[:]
        with pager(tmp_path, empty_kafka, alertmanager=told.address):
            until(lambda: "3 alerts on one customer, up to hold" in summaries(told), "to be told again", seconds=60)


def summaries(told: Receiver) -> set[str]:
    return {alert["annotations"]["summary"] for body in told.at("/api/v2/alerts") for alert in body}


def _with(words: str, log: Path) -> str:
    """Return what a log says once it holds these words."""
    text = log.read_text()
    return text if words in text else ""


def test_without_an_address_it_says_what_to_set() -> None:
    done = tierwatch("pager")
    assert b"TIERWATCH_ALERTMANAGER" in done.stderr
