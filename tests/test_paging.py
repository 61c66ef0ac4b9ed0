"""Who is told, and how: what each receiver hears, and what is done when it misbehaves. No Kafka."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.paging import outbox as outboxes
from agents.paging import post as posting
from agents.paging.listeners import Listeners
from agents.paging.measure import PagerMetrics
from agents.paging.outbox import Outbox
from agents.paging.pages import Pages
from agents.paging.post import RefusedError, UnheardError
from agents.paging.receivers import NOT_KNOWN, Alertmanager, PagerDuty, Receiver, Webhook, signature
from agents.settings import Settings
from load_tests.services.receiver import GARBAGE, GARBAGE_BODY, HANG, HANGING_BODY, RESET, RESET_BODY, receiver
from load_tests.services.receiver import Receiver as Told
from load_tests.services.run import free_ports
from load_tests.services.wait import until
from pipeline.cases.notice import Loudness, Notice, State
from schemas.timestamps import format_ms, parse_ms
from tests.boards import BOARDS

ROOT = Path(__file__).parents[1]
RUNBOOKS = ROOT / "dashboards" / "runbooks"
NOW_MS = parse_ms("2026-11-22T10:00:00Z")


def notice(
    key: str = "case-1", state: State = "open", loudness: Loudness = "page", *, about: str = "1 alert"
) -> Notice:
    return Notice(
        key=key,
        name="TierwatchCase",
        state=state,
        loudness=loudness,
        summary=about,
        description="",
        queue="self_service",
        since_ms=NOW_MS,
        until_ms=NOW_MS + 1,
    )


@pytest.fixture
def told() -> Iterator[Told]:
    with receiver() as listening:
        yield listening


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, much shorter."""
    monkeypatch.setattr(posting, "_ANSWER_S", 0.7)
    monkeypatch.setattr(outboxes, "SHORTEST_PAUSE_S", 0.005)
    monkeypatch.setattr(outboxes, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr(outboxes, "DEAD_S", 0.2)


def duty(told: Told) -> PagerDuty:
    return PagerDuty([told.address], "r-1")


def test_pagerduty_hears_of_a_case_s_life_under_one_key(told: Told) -> None:
    receives, heard = duty(told), ""
    for state in ("open", "taken", "over"):
        each = notice(state=state)
        assert receives.wants(each, heard)
        assert not receives.wants(each, each.said)
        receives.tell([each])
        heard = each.said
    events = told.at("/v2/enqueue")
    assert [event["event_action"] for event in events] == ["trigger", "acknowledge", "resolve"]
    assert {(event["dedup_key"], event["routing_key"]) for event in events} == {("case-1", "r-1")}
    assert events[0]["payload"]["severity"] == "critical"


@pytest.mark.parametrize(
    "state, loudness, heard",
    [
        ("open", "page", "open ticket"),
        ("taken", "ticket", "open page"),
        ("open", "page", "over page"),
        ("over", "page", NOT_KNOWN),
    ],
)
def test_pagerduty_hears_of_what_pages(state: State, loudness: Loudness, heard: str) -> None:
    assert PagerDuty([], "").wants(notice(state=state, loudness=loudness), heard)


@pytest.mark.parametrize(
    "state, loudness, heard", [("open", "ticket", ""), ("over", "page", ""), ("over", "ticket", "open ticket")]
)
def test_pagerduty_hears_of_nothing_else(state: State, loudness: Loudness, heard: str) -> None:
    assert not PagerDuty([], "").wants(notice(state=state, loudness=loudness), heard)


def test_pages_lead_to_a_board_and_a_runbook_that_exist(told: Told) -> None:
    grafana = "https://grafana.bank.example"
    PagerDuty([told.address], "r-1", grafana).tell([notice()])
    (event,) = told.at("/v2/enqueue")
    board, runbook = (link["href"].removeprefix(grafana) for link in event["links"])
    assert board.removeprefix("/d/") in {each["uid"] for each in BOARDS.values()}
    assert (RUNBOOKS / runbook.removeprefix("/public/runbooks/")).is_file()
    Alertmanager([told.address], grafana).tell([notice()])
    ((alert, _),) = told.at("/api/v2/alerts")
    assert alert["generatorURL"] == event["client_url"] == f"{grafana}{board}"
    assert (ROOT / alert["annotations"]["runbook"]).is_file()


def test_a_webhook_can_tell_who_writes(told: Told) -> None:
    Webhook([f"{told.address}/hook"], "secret").tell([notice()])
    (said,), (headers,) = told.at("/hook"), told.headers
    stamp = headers["X-Tierwatch-Timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    assert headers["X-Tierwatch-Signature"] == f"v1={signature(b'secret', stamp, json.dumps(said).encode())}"
    assert signature(b"secret", stamp, b"{}") != signature(b"other", stamp, b"{}")
    assert (said["case"], said["state"], said["severity"]) == ("case-1", "open", "page")


def test_alertmanager_hears_that_a_case_s_other_severity_is_over(told: Told) -> None:
    Alertmanager([told.address]).tell([notice(loudness="ticket")])
    ((fires, ends),) = told.at("/api/v2/alerts")
    assert [fires["labels"]["severity"], ends["labels"]["severity"]] == ["ticket", "page"]
    assert fires["endsAt"] == format_ms(NOW_MS + 1)


@pytest.mark.parametrize("trouble", [302, 500, 503, 429, RESET, HANG, GARBAGE, RESET_BODY, HANGING_BODY, GARBAGE_BODY])
def test_whoever_does_not_take_it_is_tried_again(told: Told, trouble: int) -> None:
    told.refusals = [trouble]
    with pytest.raises(UnheardError) as raised:
        duty(told).tell([notice()])
    assert raised.value.retry_after_s == (1.0 if trouble == 429 else 0.0)
    duty(told).tell([notice()])
    assert len(told.heard) == 1


@pytest.mark.parametrize(
    "told_so, waits_s",
    [
        ("86400", 300.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("nan", 0.0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 300.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999999", 0.0),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(told: Told, told_so: str, waits_s: float) -> None:
    told.refusals, told.retry_after = [429], told_so
    with pytest.raises(UnheardError) as raised:
        duty(told).tell([notice()])
    assert raised.value.retry_after_s == waits_s


def test_the_next_address_is_tried_where_one_is_dead(told: Told) -> None:
    (nobody,) = free_ports(1)
    PagerDuty([f"http://127.0.0.1:{nobody}", told.address], "r-1").tell([notice()])
    assert len(told.heard) == 1


def test_every_alertmanager_hears_of_it_and_one_is_enough(told: Told) -> None:
    (nobody,) = free_ports(1)
    with receiver() as other:
        several = Alertmanager([told.address, f"http://127.0.0.1:{nobody}", other.address])
        several.tell([notice()])
        assert [len(each.at("/api/v2/alerts")) for each in (told, other)] == [1, 1]
        told.refusals, other.refusals = [400], [400]
        with pytest.raises(UnheardError):  # the third may take it yet
            several.tell([notice()])
    told.refusals = [400]
    with pytest.raises(RefusedError):
        Alertmanager([told.address]).tell([notice()])


@pytest.mark.parametrize("path, receives", [("/v2/enqueue", PagerDuty), ("", Webhook)])
def test_one_notice_that_is_refused_for_good_takes_no_other_with_it(
    told: Told, path: str, receives: type[PagerDuty | Webhook]
) -> None:
    told.refusals = [503, 400]  # all wait until it listens, and then it does not like the first
    box, outcomes = outbox(receives([told.address], "r-1"))
    for key in ("case-1", "case-2", "case-3"):
        box.put(notice(key))
    until(lambda: box.waiting() == 0, "all to be dealt with")
    box.stop()
    assert outcomes == ["failed", "refused", "taken", "taken"]
    assert [body.get("case") or body["dedup_key"] for body in told.at(path or "/")] == ["case-2", "case-3"]


def outbox(receives: Receiver) -> tuple[Outbox, list[str]]:
    outcomes: list[str] = []
    return Outbox(receives, lambda _, __, outcome: outcomes.append(outcome)), outcomes


def test_an_outbox_tells_the_newest_once_its_receiver_is_back(told: Told) -> None:
    told.refusals = [500, RESET, HANG, 500]
    box, outcomes = outbox(duty(told))
    box.put(notice(about="1 alert"))
    until(lambda: len(outcomes) > 0, "a failure")
    box.put(notice(about="2 alerts"))
    until(lambda: box.waiting() == 0, "to be taken")
    box.stop()
    assert outcomes == ["failed"] * 4 + ["taken"]
    assert [event["payload"]["summary"] for event in told.at("/v2/enqueue")] == ["2 alerts"]


def test_a_receiver_that_takes_nothing_for_long_is_dead_until_it_takes_something(told: Told) -> None:
    told.refusals = [503] * 60
    box, _ = outbox(duty(told))
    box.put(notice())
    until(lambda: box.dead, "it to be dead")
    assert not box.well  # nor is one that was told nothing yet: a page about it is not taken back on a guess
    del told.refusals[:]
    until(lambda: box.waiting() == 0 and not box.dead and box.well, "it to live")
    box.stop()


def test_a_bug_of_ours_looks_like_a_dead_receiver_and_ends_no_outbox(
    told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receives = duty(told)
    monkeypatch.setattr(receives, "_event", lambda _: 1 // 0)
    box, outcomes = outbox(receives)
    box.put(notice())
    until(lambda: box.dead and len(outcomes) > 2, "it to be dead")
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    until(lambda: box.waiting() == 0 and box.well, "it to live")
    box.stop()
    assert (set(outcomes), outcomes[-1], len(told.at("/v2/enqueue"))) == ({"failed", "taken"}, "taken", 1)


def test_others_hear_that_a_receiver_is_dead_also_when_whoever_knew_that_has_died(told: Told) -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    pages = Pages(Settings(), producer)
    pages.dead.add("pagerduty")  # as `case-pages` tells a pager that begins anew
    (nobody,) = free_ports(1)
    dead, hook = PagerDuty([f"http://127.0.0.1:{nobody}"], "r-1"), Webhook([f"{told.address}/hook"], "w-1")
    with Listeners([dead, hook], pages, PagerMetrics(("pagerduty", "webhook"))) as listeners:
        listeners.look()
        assert told.at("/hook") == []
        listeners.tell(notice(), ["pagerduty"])

        def heard() -> list[str]:
            listeners.look()
            return [body["state"] for body in told.at("/hook") if body["case"] == "pagerduty"]

        assert until(heard, "the others to hear of it") == ["open"]
        dead._addresses = [told.address]
        until(lambda: heard() == ["open", "over"], "the others to hear that it is back")
    assert pages.dead == set()
