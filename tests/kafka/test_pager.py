"""The pager on a real broker, Alertmanager and receivers: one incident, one page, whoever is killed on the way."""

import json
import signal
from pathlib import Path

import yaml

from load_tests.services.alertmanager import Alertmanager, impatient
from load_tests.services.kafka import Kafka
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.run import Run
from load_tests.services.wait import until
from schemas.case import Case
from tests.command import tierwatch
from tests.kafka.alerting import alert, pager, records, standing
from tests.kafka.house import prepare, publish

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "dashboards" / "alertmanager" / "alertmanager.yml").read_text())
CAMPAIGN = 2_000
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

            cases = until(all_counted, "all to be counted", seconds=90)
            assert sorted(case.alerts for case in cases) == [1] * SINGLE + [CAMPAIGN]
            ids = {case.case_id for case in cases}
            until(lambda: paged(told) == ids, "each case to be paged")
            until(lambda: incidents(told) == ids, "each case to be an incident")
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


def incidents(told: Receiver) -> set[str]:
    """Return the incidents that PagerDuty would have open."""
    found: set[str] = set()
    for event in told.at("/v2/enqueue"):
        (found.add if event["event_action"] == "trigger" else found.discard)(event["dedup_key"])
    return found


def test_alertmanager_that_is_away_is_told_later(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with receiver() as told:
        # It refuses twice, as one that starts or is overloaded does; then it is there.
        told.refusals = [503, 503]
        with pager(tmp_path, empty_kafka, alertmanager=told.address):
            publish(empty_kafka, "alerts", records(alert(number, "c-1") for number in range(3)))
            until(lambda: "3 alerts on one customer, up to hold" in summaries(told), "to be told at last", seconds=60)
            log = until(lambda: _with("a receiver takes cases again", tmp_path / "pager.log"), "the log to say so")
        assert log.count("a receiver does not take cases") == 1


def summaries(told: Receiver) -> set[str]:
    return {alert["annotations"]["summary"] for body in told.at("/api/v2/alerts") for alert in body}


def _with(words: str, log: Path) -> str:
    """Return what a log says once it holds these words."""
    text = log.read_text()
    return text if words in text else ""


def test_without_an_address_it_says_what_to_set() -> None:
    done = tierwatch("pager")
    assert b"TIERWATCH_ALERTMANAGER" in done.stderr
