"""`tierwatch dlq` on a real broker: what died is found, sent again once when its cause is gone, or put aside."""

import json
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.broker import BrokerError
from agents.dead_letters import Handling, Letter, actions, letters
from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.dead_letter import headers as dead_letter_headers
from schemas.dead_letter_action import DeadLetterAction
from schemas.reasons import DeadLetterReason
from tests.command import tierwatch
from tests.kafka.house import Worker, await_records, payment, prepare, publish, publish_payments, read, settings

BY = ("--actor", "ana", "--why", "the rates are back")
CARD = "4111111111111111"


@pytest.fixture
def house(empty_kafka: Kafka) -> Kafka:
    prepare(empty_kafka)
    return empty_kafka


def dlq(kafka: Kafka, *words: str, code: Exit = Exit.OK) -> str:
    done: CompletedProcess[bytes] = tierwatch("dlq", *words, TIERWATCH_BROKER=kafka.bootstrap)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.decode() + done.stderr.decode()


def listed(kafka: Kafka, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in dlq(kafka, "list", "--json", *words).splitlines()]


def everything(kafka: Kafka) -> list[Letter]:
    return letters(settings(kafka.bootstrap), lambda _: True)


def die(kafka: Kafka, euros: int) -> None:
    """Send payments whose currency has no rate, a record that nobody can read, and a card number."""
    publish_payments(kafka, [payment(number, f"c-{number}", currency="EUR") for number in range(euros)])
    publish(kafka, "transactions", [("c-1", b"no JSON")])
    publish_payments(kafka, [payment(100, "c-2", description=f"card {CARD}")])
    await_records(kafka.bootstrap, "dead-letters", euros + 2)


def bring_the_rate(kafka: Kafka) -> None:
    """Tell today's rate, and send payments until one of them is decided: the worker knows it then."""
    today = datetime.now(UTC).date().isoformat()
    rate = {"currency": "EUR", "date": today, "rate": "1.1", "base_currency": "USD"}
    publish(kafka, "rates", [(f"EUR/{today}", json.dumps(rate).encode())])
    probes = iter(range(1000, 2000))

    def decided() -> bool:
        publish_payments(kafka, [payment(next(probes), "probe", currency="EUR")])
        return bool(read(kafka.bootstrap, "decisions"))

    until(decided, "the rate to be known")


def test_what_died_is_found_and_sent_again_once(house: Kafka, tmp_path: Path) -> None:
    with Worker(tmp_path, house.bootstrap) as worker:
        worker.ready()
        die(house, 3)
        assert [letter["reason"] for letter in listed(house)].count("no_rate") == 3
        (unreadable,) = listed(house, "--reason", "not_json")
        assert (unreadable["topic"], unreadable["replayable"]) == ("transactions", False)
        (card,) = listed(house, "--reason", "card_number")
        assert CARD not in dlq(house, "show", card["place"])
        assert "value: no JSON" in dlq(house, "show", unreadable["place"])
        assert listed(house, "--until", unreadable["first_arrival"][:4] + "-01-01T00:00:00Z") == []

        bring_the_rate(house)
        before = len(read(house.bootstrap, "transactions"))
        dry = dlq(house, "replay", "--topic", "transactions", *BY, "--dry-run")
        assert "would be replayed; nothing was done" in dry
        assert len(read(house.bootstrap, "transactions")) == before

        euros = [letter.name for letter in everything(house) if letter.key in {b"c-0", b"c-1", b"c-2"}]
        euros = [name for name in euros if name not in {unreadable["place"], card["place"]}]
        said = dlq(house, "replay", *euros, unreadable["place"], *BY)
        assert f"{unreadable['place']} is left: not_json would come of the same bytes again" in said
        assert "3 dead letters replayed." in said
        three = until(lambda: _decided(house, {b"c-0", b"c-1", b"c-2"}), "three decisions")
        assert three == 3

        again = dlq(house, "replay", *euros, *BY)
        assert "0 dead letters replayed" in again
        assert "is left: it was replayed by ana" in again
        assert len(read(house.bootstrap, "transactions")) == before + 3

        assert "discarded" in dlq(house, "discard", unreadable["place"], card["place"], *BY)
        assert {letter["reason"] for letter in listed(house)} <= {"no_rate"}
        done = {letter["place"]: letter["done"]["action"] for letter in listed(house, "--all") if letter["done"]}
        assert done[card["place"]] == "discarded"
        assert list(done.values()).count("replayed") == 3


def _decided(kafka: Kafka, keys: set[bytes]) -> int:
    found = [message.key() for message in read(kafka.bootstrap, "decisions") if message.key() in keys]
    return len(found) if len(found) >= len(keys) else 0


def test_a_turn_that_breaks_off_leaves_nothing_and_two_at_once_are_one(house: Kafka, tmp_path: Path) -> None:
    with Worker(tmp_path, house.bootstrap) as worker:
        worker.ready()
        die(house, 2)
    euros = [letter for letter in everything(house) if not letter.obstacle]
    sent = len(read(house.bootstrap, "transactions"))
    mine = settings(house.bootstrap)

    broken = Handling(mine, "ana", "breaks off")
    broken._producer.begin_transaction()
    broken._producer.produce("transactions", euros[0].value, euros[0].key)
    broken._producer.flush(10)

    first, second = Handling(mine, "ana", "first"), Handling(mine, "ben", "second")
    assert list(second.handle(euros, "replayed")) == euros
    with pytest.raises(BrokerError):
        list(first.handle(euros, "replayed"))
    assert list(Handling(mine, "cem", "third").handle(euros, "replayed")) == []
    assert len(read(house.bootstrap, "transactions")) == sent + 2
    assert {each.actor for each in actions(mine).values()} == {"ben"}
    others = [letter for letter in everything(house) if letter.obstacle and not letter.done]
    assert list(Handling(mine, "cem", "fourth").handle(others, "discarded")) == others
    assert followed(house, Exit.OK) == []


def followed(kafka: Kafka, code: Exit) -> list[dict[str, Any]]:
    """Return where the chains of the audit are broken."""
    done = tierwatch("audit", "verify", "--json", TIERWATCH_BROKER=kafka.bootstrap)
    assert done.returncode == code, done.stdout + done.stderr
    breaks: list[dict[str, Any]] = json.loads(done.stdout)["breaks"]
    return breaks


@pytest.mark.parametrize(
    "words, said",
    [
        (("replay", *BY), "nothing is named"),
        (("replay", "0/1", "--reason", "no_rate", *BY), "places and criteria are named"),
        (("list", "--reason", "no_such"), "no such reason: no_such"),
        (("list", "--since", "yesterday"), "--since:"),
        (("replay", "0/1", "--actor", "", "--why", "x"), "'' is nobody's name"),
    ],
)
def test_what_is_not_understood_is_told_before_kafka_is_asked(words: tuple[str, ...], said: str) -> None:
    done = tierwatch("dlq", *words)
    assert done.returncode == Exit.SETTINGS
    assert said in done.stderr.decode()


def test_what_others_write_to_the_topics_hides_no_dead_letter(house: Kafka) -> None:
    letter = DeadLetter(
        reason=DeadLetterReason.NO_RATE, detail="", topic="transactions", partition=0, offset=1, first_arrival_ms=1
    )
    said = dead_letter_headers(letter)
    producer = Producer({"bootstrap.servers": house.bootstrap})
    others: dict[str, list[tuple[str, bytes | None]]]
    others = {"reason": [(name, b"no such" if name == "reason" else value) for name, value in said]}
    others |= {"empty": [(name, None if name == "offset" else value) for name, value in said], "none": []}
    for headers in (*others.values(), said):
        producer.produce("dead-letters", b"{}", b"c-1", 0, headers=list(headers))
    producer.produce("dead-letter-actions", b"\xff", b"0/0", 0)
    assert producer.flush(10) == 0
    assert [each["reason"] for each in listed(house)] == ["no_rate"]
    assert "1 dead letter replayed" in dlq(house, "replay", "--reason", "no_rate", *BY)
    forged = DeadLetterAction(
        action_id="f", action="discarded", partition=0, offset=9, reason=letter.reason, actor="mallory", why="", at=""
    )
    publish(house, "dead-letter-actions", [("0/9", encode(forged))])
    assert [(each["topic"], each["offset"]) for each in followed(house, Exit.MISMATCH)] == [
        ("dead-letter-actions", 0),
        ("dead-letter-actions", 3),
    ]


def test_a_place_where_nothing_lies_is_told(house: Kafka) -> None:
    assert "no dead letter at 0/77" in dlq(house, "show", "0/77", code=Exit.BAD_INPUT)
    assert "no dead letter at 0/77" in dlq(house, "discard", "0/77", *BY, code=Exit.BAD_INPUT)
