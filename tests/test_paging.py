"""Who is told, and how: what each receiver hears, and what is done when it misbehaves. No Kafka."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from agents.broker import BrokerError
from agents.paging import outbox as outboxes
from agents.paging import post as posting
from agents.paging.answers import SIGNATURE, Answers, answer_of
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
from pipeline.cases.storm import OVER_MS, Storm, Summary, is_paged, summary_of
from schemas.case import Case
from schemas.case_page import CasePage
from schemas.timestamps import MS_PER_MINUTE, format_ms, parse_ms
from tests.boards import BOARDS

ROOT = Path(__file__).parents[1]
GOLDEN, RUNBOOKS = ROOT / "schemas" / "golden", ROOT / "dashboards" / "runbooks"
PAGERDUTY = Path(__file__).parent / "pagerduty"
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


def answered(kind: str, agent: str = "user_reference") -> bytes:
    """What PagerDuty posts of `kind`."""
    told = json.loads((PAGERDUTY / "acknowledged.json").read_text())
    told["event"]["event_type"] = kind
    told["event"]["agent"]["type"] = agent
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "kind, action, to",
    [
        ("incident.acknowledged", "assign", "Ana Duty"),
        ("incident.unacknowledged", "assign", ""),
        ("incident.resolved", "close", ""),
    ],
)
def test_what_people_answer_in_pagerduty_is_work_on_the_case(kind: str, action: str, to: str) -> None:
    answer = answer_of(answered(kind))
    assert answer is not None
    assert (answer.case_id, answer.action, answer.to, answer.actor) == ("CASE", action, to, "pagerduty:PLH1HKV")


@pytest.mark.parametrize(
    "kind, agent",
    [
        ("incident.resolved", "inbound_integration_reference"),
        ("incident.acknowledged", "service_reference"),
        ("incident.annotated", "user_reference"),
    ],
)
def test_what_we_told_pagerduty_ourselves_is_no_answer(kind: str, agent: str) -> None:
    assert answer_of(answered(kind, agent)) is None
    assert answer_of(b'{"event": {"id": "1", "event_type": "pagey.ping"}}') is None


def test_what_pagerduty_did_not_sign_is_refused_and_what_kafka_does_not_take_is_told_again() -> None:
    body = answered("incident.acknowledged")
    (nobody,) = free_ports(1)
    broker = {"TIERWATCH_BROKER": f"127.0.0.1:{nobody}", "TIERWATCH_PAGERDUTY_SECRET": "s-1"}
    answers = Answers(Settings.from_environment(broker), find=away)
    signed = "v1=" + hmac.new(b"s-1", body, hashlib.sha256).hexdigest()
    assert answers.take(body, {SIGNATURE: f"v1=00, {signed}"}) == 503
    assert answers.take(body, {SIGNATURE: "v1=00"}) == answers.take(body, {}) == 403
    assert answers.take(body + b" ", {SIGNATURE: signed}) == answers.take(body, {SIGNATURE: "v1=\xe9\udc80"}) == 403
    unread = "v1=" + hmac.new(b"s-1", b"no JSON", hashlib.sha256).hexdigest()
    assert answers.take(b"no JSON", {SIGNATURE: unread}) == 400


def away(_: Settings) -> dict[str, Case]:
    raise BrokerError("Kafka does not answer")


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


def test_beyond_so_many_a_minute_cases_share_one_page() -> None:
    storm = Storm(20)
    alone = [storm.summary_for(NOW_MS + each * 1_000, backlog=False) for each in range(50)]
    assert [each is None for each in alone] == [True] * 20 + [False] * 30
    assert {each.key for each in alone if each} == {f"many@{format_ms(NOW_MS + 20_000)}"}
    assert storm.summaries["many"].notice().summary.startswith("30 more cases")
    assert storm.summary_for(NOW_MS + 2 * MS_PER_MINUTE, backlog=False) is None


def test_a_pager_that_starts_anew_goes_on_with_what_was_paged() -> None:
    storm = Storm(20)
    pages = []
    for each in range(50):
        at_ms = NOW_MS + each * 1_000
        summary = storm.summary_for(at_ms, backlog=False)
        pages.append(
            CasePage(
                case_id=f"case-{each}",
                said="open page",
                loudness="ticket" if summary else "page",
                at=format_ms(at_ms),
                receivers=(),
                summary=summary.key if summary else "",
            )
        )
    again = Storm.remembered(20, reversed(pages))
    assert again.summaries == storm.summaries
    later = NOW_MS + 51_000
    assert again.summary_for(later, backlog=False) == storm.summary_for(later, backlog=False)


def test_a_backlog_shares_one_page_and_takes_nobody_s_place() -> None:
    storm = Storm(1)
    assert [storm.summary_for(NOW_MS, backlog=True) for _ in range(3)][-1] == Summary("backlog", NOW_MS, NOW_MS, 3)
    assert storm.summary_for(NOW_MS, backlog=False) is None


def test_a_summary_is_over_an_hour_after_its_last_case() -> None:
    storm = Storm(1)
    storm.summary_for(NOW_MS, backlog=True)
    assert storm.over(NOW_MS + OVER_MS - 1) == []
    (over,) = storm.over(NOW_MS + OVER_MS)
    assert (over.notice(over=True).state, storm.summaries) == ("over", {})


def case_in(alerts: int, delayed: int) -> Case:
    return msgspec.structs.replace(
        msgspec.json.decode((GOLDEN / "case" / "v1-minimal.json").read_bytes(), type=Case),
        alerts=alerts,
        delayed=delayed,
    )


@pytest.mark.parametrize(
    "summary, said, alerts, delayed, stays",
    [
        ("many@1", "open ticket", 2, 0, "many@1"),
        ("backlog@1", "open ticket", 2, 2, "backlog@1"),
        ("backlog@1", "open ticket", 2, 1, ""),
        ("many@1", "over ticket", 2, 0, ""),
        ("", "open page", 2, 0, ""),
    ],
)
def test_a_summary_stands_for_a_case_until_something_new_comes(
    summary: str, said: str, alerts: int, delayed: int, stays: str
) -> None:
    page = CasePage(case_id="c", said=said, loudness="ticket", at=format_ms(NOW_MS), receivers=(), summary=summary)
    assert summary_of(page, case_in(alerts, delayed)) == stays
    assert not is_paged(page)
    assert not is_paged(msgspec.structs.replace(page, loudness="page", said="over page"))
    assert is_paged(msgspec.structs.replace(page, loudness="page", said="taken page"))
