"""Working on cases and alerts while the pager runs: what people do is heard by receivers, and nobody is named."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.wait import until
from schemas.case import Case
from schemas.disposition import Disposition
from schemas.timestamps import MS_PER_HOUR
from tests.command import tierwatch
from tests.kafka.alerting import alert, newest, pager, records, standing
from tests.kafka.house import prepare, publish, read

SECRETS = ("c-canary", "m-canary", "p-canary", "d-canary", "Mallory", "4111111111111111")


class Desk(NamedTuple):
    """A pager at work, somebody who is paged, and where the pager's log is."""

    kafka: Kafka
    told: Receiver
    log: Path

    def events(self) -> list[tuple[str, str]]:
        """Return what PagerDuty heard: of which case, and what."""
        return [(event["dedup_key"], event["event_action"]) for event in self.told.at("/v2/enqueue")]

    def run(self, *words: str, code: Exit = Exit.OK) -> str:
        done = tierwatch(*words, TIERWATCH_BROKER=self.kafka.bootstrap)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.decode() + done.stderr.decode()

    def case_of(self, customer: str) -> Case:
        return until(
            lambda: next((case for case in standing(self.kafka) if case.entity == customer), None), f"{customer}'s case"
        )

    def heard(self, case: Case, what: str) -> None:
        until(lambda: (case.case_id, what) in self.events(), f"{what} to be heard", seconds=30)


@pytest.fixture(scope="module")
def desk(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    kafka.clear()
    prepare(kafka)
    folder = tmp_path_factory.mktemp("pager")
    with receiver() as told:
        receivers = {"pagerduty": told.address, "pagerduty_key": "r-1"}
        hook = {"webhook": f"{told.address}/hook", "webhook_key": "secret"}
        with pager(folder, kafka, **receivers, **hook):
            yield Desk(kafka, told, folder / "pager.log")


def test_a_case_is_assigned_closed_and_opened_again(desk: Desk) -> None:
    publish(desk.kafka, "alerts", records(alert(each, "c-1") for each in range(2)))
    case = desk.case_of("c-1")
    desk.heard(case, "trigger")
    assert f"{case.case_id}  page  " in desk.run("cases", "list")
    desk.run("cases", "assign", case.case_id, "--to", "ada", "--actor", "ben")
    desk.heard(case, "acknowledge")
    assert "ada has it" in desk.run("cases", "show", case.case_id)
    desk.run("cases", "close", case.case_id, "--label", "genuine", "--actor", "ada")
    desk.heard(case, "resolve")
    assert case.case_id not in desk.run("cases", "list")
    shown = json.loads(desk.run("cases", "show", case.case_id, "--json"))
    assert (shown["case"]["closed_by"], shown["case"]["label"]) == ("ada", "genuine")
    assert [member["reason"] for member in shown["members"]] == ["opened", "correlation"]
    publish(desk.kafka, "alerts", records([alert(3, "c-1")]))
    until(lambda: desk.case_of("c-1").state == "open", "the case to be open again")
    assert "there is no case x" in desk.run("cases", "show", "x", code=Exit.BAD_INPUT)


def test_cases_are_made_one_and_taken_apart(desk: Desk) -> None:
    publish(desk.kafka, "alerts", records(alert(each, customer) for customer in ("c-2", "c-3") for each in range(3)))
    one, other = desk.case_of("c-2"), desk.case_of("c-3")
    until(lambda: sum(desk.case_of(name).alerts for name in ("c-2", "c-3")) == 6, "all to be counted")
    desk.run("cases", "merge", one.case_id, other.case_id, "--actor", "ada")
    until(lambda: newest(desk.kafka)[other.case_id].alerts == 6, "one case of six")
    assert newest(desk.kafka)[one.case_id].absorbed_by == other.case_id
    desk.heard(one, "resolve")
    part = alert(0, "c-3").alert_id
    desk.run("cases", "split", other.case_id, part, "--actor", "ada")
    apart = until(lambda: next((case for case in standing(desk.kafka) if case.parted), None), "a part")
    assert (apart.alerts, apart.first_alert_id) == (1, part)
    stayed = json.loads(desk.run("cases", "show", other.case_id, "--json"))["members"]
    assert part not in {member["alert_id"] for member in stayed}
    assert "not of this case" in desk.run("cases", "split", other.case_id, part, "--actor", "ada", code=Exit.BAD_INPUT)


def test_what_an_alert_turned_out_to_be_is_a_disposition(desk: Desk) -> None:
    publish(desk.kafka, "alerts", records([alert(1, "c-4", reasons=("more than gold allows in a day",))]))
    told = alert(1, "c-4").alert_id
    shown = desk.run("alerts", "show", told)
    assert "more than gold allows in a day" in shown
    assert "published after" in shown
    desk.run("alerts", "assign", told, "--to", "ada", "--actor", "ben")
    desk.run("alerts", "snooze", told, "--for", "2h", "--actor", "ada", "--why", "the customer calls back")
    assert "snoozed until" in desk.run("alerts", "list", "--customer", "c-4", "--rule", "amount_24h")
    assert "no time to sleep" in desk.run(
        "alerts", "snooze", told, "--for", "2w", "--actor", "ada", "--why", "x", code=Exit.SETTINGS
    )
    desk.run("alerts", "close", told, "--label", "fraud", "--actor", "ada")
    (said,) = read(desk.kafka.bootstrap, "dispositions")
    label = msgspec.json.decode(said.value() or b"", type=Disposition)
    assert (label.alert_id, label.label, label.status, label.actor) == (told, "fraud", "final", "ada")
    assert told not in desk.run("alerts", "list")
    assert "closed: fraud" in desk.run("alerts", "list", "--customer", "c-4", "--all")


def test_after_an_outage_cases_are_by_their_own_time_and_share_one_page(desk: Desk) -> None:
    then_ms = int(time.time() * 1000) - 10 * MS_PER_HOUR
    hours = (0, 1, 6)  # two incidents of each: five hours lie between
    publish(
        desk.kafka,
        "alerts",
        records(alert(hour, f"c-late-{each}", then_ms + hour * MS_PER_HOUR) for each in range(10) for hour in hours),
    )

    def late() -> list[Case]:
        found = [case for case in standing(desk.kafka) if case.entity.startswith("c-late")]
        return found if sum(case.alerts for case in found) == 30 else []

    cases = until(late, "the backlog to be counted", seconds=30)
    assert sorted(case.alerts for case in cases) == [1] * 10 + [2] * 10
    assert all(case.delayed == case.alerts for case in cases)
    summary = until(lambda: [key for key, _ in desk.events() if key.startswith("backlog@")], "its page")
    until(lambda: "20 cases about what happened long ago" in json.dumps(desk.told.at("/v2/enqueue")), "all in one page")
    assert len(set(summary)) == 1
    assert not {case.case_id for case in cases} & {key for key, _ in desk.events()}


def test_fifty_incidents_are_fifty_cases_and_one_summary_beyond_what_people_can_take(desk: Desk) -> None:
    incidents = [f"c-many-{each}" for each in range(50)]
    publish(desk.kafka, "alerts", records(alert(0, name, merchant_id=f"m-{name}") for name in incidents))

    def all_told() -> bool:
        cases = {case.case_id for case in standing(desk.kafka) if case.entity in incidents}
        hooked = {body["case"] for body in desk.told.at("/hook")}
        return len(cases) == 50 and cases <= hooked

    until(all_told, "fifty cases to be told", seconds=30)
    many = [case.case_id for case in standing(desk.kafka) if case.entity in incidents]
    alone = set(many) & {key for key, action in desk.events() if action == "trigger"}
    assert 0 < len(alone) <= 20
    assert len({key for key, _ in desk.events() if key.startswith("many@")}) == 1
    assert f"{50 - len(alone)} more cases" in json.dumps(desk.told.at("/v2/enqueue"))


def test_nobody_is_named_to_whom_it_does_not_concern(desk: Desk) -> None:
    named = alert(
        0,
        "c-canary",
        merchant_id="m-canary",
        payee_id="p-canary",
        device_id="d-canary",
        reasons=("Mallory paid with 4111111111111111",),
    )
    publish(desk.kafka, "alerts", records([named]))
    case = desk.case_of("c-canary")
    until(lambda: case.case_id in {body["case"] for body in desk.told.at("/hook")}, "the canary's case to be told")
    everything = (
        json.dumps([heard.body for heard in desk.told.heard]) + json.dumps(desk.told.headers) + desk.log.read_text()
    )
    assert [secret for secret in SECRETS if secret in everything] == []
