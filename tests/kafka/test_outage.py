"""After an outage: six hours of payments that nobody judged reach a worker at once, and whoever is on call once."""

import re
import time
from pathlib import Path

from load_tests.services.kafka import Kafka
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml
from schemas.case import Case
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms
from schemas.transaction import Transaction
from tests.command import tierwatch
from tests.kafka.alerting import newest, pager
from tests.kafka.house import Worker, await_records, payment, prepare, publish_payments

OUTAGE_MS = 6 * MS_PER_HOUR
HONEST = 2_000
THIEVES, CHEATED = 30, 12
# One payment that is too large wakes somebody, and each wakes them anew.
AT_ONCE = (
    b"{mode: live, points: 75, severity: high, floor: review, cool_down: 1h}",
    b"{mode: live, points: 95, severity: critical, floor: hold, cool_down: 0s}",
)
STOLEN = 10_000_000


def backlog(now_ms: int) -> list[Transaction]:
    """Six hours of payments, in the order of their time, the last of them twenty minutes old."""
    began_ms, ended_ms = now_ms - OUTAGE_MS, now_ms - 20 * MS_PER_MINUTE
    step_ms = (ended_ms - began_ms) // HONEST
    honest = [(f"c-{number % 400}", began_ms + number * step_ms, 1_000, "") for number in range(HONEST)]
    thefts = [(f"c-thief-{number}", began_ms + number * 10 * MS_PER_MINUTE, STOLEN, "") for number in range(THIEVES)]
    # Five hours lie between, and a case ends after four.
    twice = [("c-twice", began_ms + hours * MS_PER_HOUR, STOLEN, "") for hours in (0, 5)]
    third_ms = began_ms + 3 * MS_PER_HOUR
    at_once = [(f"c-cheated-{number}", third_ms + number * 1_000, STOLEN, "m-bad") for number in range(CHEATED)]
    paid = sorted([*honest, *thefts, *twice, *at_once], key=lambda each: each[1])
    return [
        payment(number, customer, at_ms, amount=amount, merchant_id=merchant)
        for number, (customer, at_ms, amount, merchant) in enumerate(paid)
    ]


def test_six_hours_at_once_are_cases_by_their_own_time_and_one_page(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(default_yaml().replace(*AT_ONCE))
    now_ms = int(time.time() * 1000)
    paid = backlog(now_ms)
    publish_payments(empty_kafka, paid)
    folders = [tmp_path / name for name in ("worker", "pager")]
    for folder in folders:
        folder.mkdir()
    with receiver() as told:
        settings = {"policy": str(policy), "pagerduty": told.address, "pagerduty_key": "r-1"}
        hook = {"webhook": f"{told.address}/hook", "webhook_key": "secret"}
        with (
            Worker(folders[0], empty_kafka.bootstrap, policy=str(policy)),
            pager(folders[1], empty_kafka, **settings, **hook),
        ):
            await_records(empty_kafka.bootstrap, "decisions", len(paid))
            wanted = THIEVES + 2 + CHEATED

            def late() -> list[Case]:
                found = [case for case in newest(empty_kafka).values() if case.state == "open"]
                return found if sum(case.alerts for case in found) == wanted else []

            cases = until(late, "the backlog to be counted", seconds=60)
            assert sorted(case.alerts for case in cases) == [1] * (THIEVES + 2) + [CHEATED]
            (campaign,) = (case for case in cases if case.rule)
            assert (campaign.entity, campaign.opened_at) == ("m-bad", format_ms(now_ms - OUTAGE_MS + 3 * MS_PER_HOUR))
            assert len({case.opened_at for case in cases if case.entity == "c-twice"}) == 2
            until(lambda: open_incidents(told) == {"backlog"}, "one page")
            until(lambda: {case.case_id for case in cases} <= hooked(told), "each case to be told")
            assert set(severities(told).values()) == {"ticket"}
            # What happens now is told by itself.
            publish_payments(empty_kafka, [payment(9_999, "c-now", amount=STOLEN)])
            until(lambda: len(open_incidents(told)) == 2, "a page of its own", seconds=60)
            # Some of the campaign's had been told of when it began.
            (said,) = re.findall(r"^(\d+) cases about what happened long ago", backlog_page(told))
            assert len(cases) <= int(said) < len(cases) + CHEATED
        listed = tierwatch("alerts", "list", TIERWATCH_BROKER=empty_kafka.bootstrap).stdout.decode().splitlines()
        delayed = [line for line in listed if "  delayed by " in line]
        assert (len(delayed), len(listed)) == (wanted, wanted + 2)
        assert any("delayed by 6:0" in line for line in delayed)


def open_incidents(told: Receiver) -> set[str]:
    """Return what PagerDuty would have open: a case's id, or what kind of summary."""
    found: dict[str, str] = {event["dedup_key"]: event["event_action"] for event in told.at("/v2/enqueue")}
    return {key.partition("@")[0] for key, action in found.items() if action != "resolve"}


def backlog_page(told: Receiver) -> str:
    told_of = [event for event in told.at("/v2/enqueue") if event["dedup_key"].startswith("backlog@")]
    return str(told_of[-1]["payload"]["summary"])


def hooked(told: Receiver) -> set[str]:
    return {body["case"] for body in told.at("/hook")}


def severities(told: Receiver) -> dict[str, str]:
    """Return how loud each case is, summaries left out."""
    return {body["case"]: body["severity"] for body in told.at("/hook") if "@" not in body["case"]}
