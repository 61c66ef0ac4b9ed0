"""The lists on a real broker: what a command says holds at once at a worker that runs, and the journal knows of it."""

from pathlib import Path

import msgspec

from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from schemas.decision import Decision
from tests.command import tierwatch
from tests.kafka.house import Worker, await_records, payment, prepare, publish_payments

decision = msgspec.json.Decoder(Decision).decode
WHO = ("--reason", "reported twice", "--actor", "ana")


def test_an_entry_holds_at_once_until_it_is_removed_and_can_be_verified(empty_kafka: Kafka, tmp_path: Path) -> None:
    kafka = empty_kafka
    prepare(kafka)

    def run(*words: str, code: Exit = Exit.OK) -> str:
        done = tierwatch(*words, TIERWATCH_BROKER=kafka.bootstrap)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.decode() + done.stderr.decode()

    def pay(number: int) -> Decision:
        publish_payments(kafka, [payment(number, "c-1", merchant_id="m-1")])
        decided = [decision(each.value() or b"") for each in await_records(kafka.bootstrap, "decisions", number)]
        return next(each for each in decided if each.transaction_id == f"t-{number}")

    with Worker(tmp_path, kafka.bootstrap) as worker:
        worker.ready()
        assert pay(1).outcome == "pass"
        run("lists", "add", "deny", "merchant", "m-1", *WHO)
        await_records(kafka.bootstrap, "audit", 1)
        held = pay(2)
        assert (held.outcome, [signal.about for signal in held.signals]) == ("hold", ["merchant m-1"])
        assert "m-1" in run("lists", "show")
        run("lists", "remove", "deny", "merchant", "m-1", *WHO)
        await_records(kafka.bootstrap, "audit", 2)
        assert pay(3).outcome == "pass"
        assert worker.stop() == 0
    assert "m-1" not in run("lists", "show")
    assert run("lists", "history").count("m-1") == 2
    run("verify")


def test_what_cannot_be_listed_is_said_and_not_published(empty_kafka: Kafka) -> None:
    prepare(empty_kafka)
    for words in (
        ("add", "deny", "address", "203.0.113.7/24", *WHO),
        ("add", "deny", "payee", "p-1", "--reason", "", "--actor", "ana"),
        ("add", "deny", "payee", "p-1", *WHO, "--until", "tomorrow"),
        ("remove", "watch", "payee", "p-1", *WHO),
    ):
        done = tierwatch("lists", *words, TIERWATCH_BROKER=empty_kafka.bootstrap)
        assert done.returncode == Exit.BAD_INPUT, done.stdout + done.stderr
    done = tierwatch("lists", "history", TIERWATCH_BROKER=empty_kafka.bootstrap)
    assert done.stdout.decode() == "0 records\n"
