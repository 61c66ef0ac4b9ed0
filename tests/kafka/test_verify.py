"""`tierwatch verify` on a real broker: silent when all is as the journal makes it, red for each planted difference."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.engine import positions
from agents.exit_codes import Exit
from agents.topics import CHANGELOGS
from agents.verify.shown import show
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.behaviour.features import INDEX
from pipeline.ids import derived_id
from pipeline.learned.onlooker import Onlooker
from pipeline.policy.load import default_yaml, load_policy
from tests.kafka.house import (
    Worker,
    await_records,
    headers,
    payment,
    prepare,
    publish,
    publish_payments,
    read,
    settings,
)

PAYMENTS = 600
# Each is large enough to be alerted about, and one in twenty is told twice.
AMOUNT = 3_000_000


@pytest.fixture(scope="module")
def played(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Kafka:
    """A house in which two workers, one after the other, have judged payments, repetitions and rubbish."""
    kafka.clear()
    prepare(kafka)
    folder = tmp_path_factory.mktemp("verify")
    payments = [payment(number, f"c-{number % 30}", amount=AMOUNT) for number in range(PAYMENTS)]
    for half in (payments[: PAYMENTS // 2], payments[PAYMENTS // 2 :]):
        with Worker(folder, kafka.bootstrap) as worker:
            worker.ready()
            before = len(read(kafka.bootstrap, "decisions"))
            publish_payments(kafka, [*half, *half[::20]])
            publish(kafka, "transactions-priority", [("c-1", b"{"), (None, b"{}")])
            publish(kafka, "policies", [("default", b"no policy event")])
            await_records(kafka.bootstrap, "decisions", before + len(half))
            until(lambda: worker.metric("tierwatch_dead_letters_total") >= 2, "two dead letters")
            assert worker.stop() == 0
    return kafka


def verify(kafka: Kafka, *arguments: str) -> tuple[int, dict[str, Any], str]:
    return typed(kafka, "verify", *arguments)


def typed(kafka: Kafka, command: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "console", command, "--json", *arguments],
        env={**os.environ, "TIERWATCH_BROKER": kafka.bootstrap},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_what_workers_did_is_what_the_journal_makes(played: Kafka) -> None:
    code, report, said = verify(played)
    assert report, said
    assert (code, report["differences"], report["examples"], said) == (Exit.OK, {}, [], "")
    inputs = [len(read(played.bootstrap, topic)) for topic in ("transactions", "transactions-priority")]
    assert report["records"] == sum(inputs) == PAYMENTS + PAYMENTS // 20 + 4
    for topic in ("decisions", "alerts", "dead-letters"):
        assert report["messages"][topic] == len(read(played.bootstrap, topic)) > 0
    assert report["states"]["windows"] == 30
    assert report["units"] == len(read(played.bootstrap, "journal"))


def test_a_range_ends_where_it_is_told_and_compares_no_state(played: Kafka) -> None:
    journal = read(played.bootstrap, "journal")
    moments = sorted(headers(each)["ce_time"].decode() for each in journal)
    code, report, _ = verify(played, "--until", moments[len(moments) // 2])
    assert (code, report["differences"], report["states"]) == (Exit.OK, {}, {})
    assert 0 < report["units"] < len(journal)


def test_another_first_policy_is_told_apart(played: Kafka, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_bytes(default_yaml() + b"# changed by one hand\n")
    code, _, said = verify(played, "--policy", str(other))
    assert code == Exit.BAD_INPUT
    assert "--policy" in said


def test_an_alert_is_made_again_from_the_log_of_its_partition(played: Kafka) -> None:
    last = read(played.bootstrap, "alerts")[-1]
    code, told, said = typed(played, "explain", headers(last)["ce_id"].decode())
    assert (code, told["agrees"], told["policy"]) == (Exit.OK, True, True), said
    assert told["log"] == {"lasts": True, "why_not": "", "differences": []}


def test_a_profile_is_read_from_the_state_on_kafka(played: Kafka) -> None:
    decided = Counter(each.key() for each in read(played.bootstrap, "decisions"))
    (customer, payments), *_ = decided.most_common()
    code, told, said = typed(played, "profile", (customer or b"").decode())
    assert code == Exit.OK, said
    assert told["payments"] + told["receipts"] == payments


def test_a_model_is_trained_on_each_payment_as_it_was_judged(played: Kafka) -> None:
    onlooker = Onlooker()
    asyncio.run(show(settings(played.bootstrap), load_policy(default_yaml()), onlooker))
    decided = [json.loads(each.value() or b"")["decision_id"] for each in read(played.bootstrap, "decisions")]
    assert sorted(onlooker.payments) == sorted(derived_id("alert", decision_id) for decision_id in decided)
    rows = np.concatenate(onlooker.rows)
    for customer in set(onlooker.customers):
        own = [number for number, each in enumerate(onlooker.customers) if each == customer]
        assert rows[own, INDEX["history"]].tolist() == list(range(len(own)))


Plant = Callable[[Kafka], None]


def _again(topic: str) -> Plant:
    """Publish a topic's last record once more, as a worker would that was not fenced."""

    def plant(kafka: Kafka) -> None:
        last = read(kafka.bootstrap, topic)[-1]
        _produce(kafka, topic, last.partition() or 0, last.key(), last.value(), list(headers(last).items()))

    return plant


def _state(kafka: Kafka) -> None:
    """Write a customer's state anew with one byte changed."""
    changelog = CHANGELOGS["windows"]
    last = next(each for each in reversed(read(kafka.bootstrap, changelog)) if each.key() != positions.KEY)
    value = bytearray(last.value() or b"")
    value[-1] ^= 1
    _produce(kafka, changelog, last.partition() or 0, last.key(), bytes(value), [])


def _skip(kafka: Kafka) -> None:
    """Say in the state that one record more was taken than was."""
    publish_payments(kafka, [payment(PAYMENTS, "c-0")])
    number = next(
        each.partition() or 0 for each in read(kafka.bootstrap, "transactions") if f't-{PAYMENTS}"' in str(each.value())
    )
    for changelog in CHANGELOGS.values():
        stands = [each for each in read(kafka.bootstrap, changelog) if each.key() == positions.KEY]
        last = [each for each in stands if each.partition() == number][-1]
        at = positions.decode(last.value())
        at.next["transactions"] += 1
        _produce(kafka, changelog, number, positions.KEY, at.encode(), [])


def _produce(
    kafka: Kafka, topic: str, partition: int, key: bytes | None, value: bytes | None, told: list[tuple[str, bytes]]
) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, value, key, partition, headers=[*told])
    assert producer.flush(30) == 0


def _taken_away(kafka: Kafka, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for done in admin.delete_records([TopicPartition(topic, number, 1) for number in range(4)]).values():
        done.result()


# Each leaves its trace behind; none is of the kind and topic of another.
@pytest.mark.parametrize(
    "plant, kind, topic",
    [
        (_again("decisions"), "unexpected", "decisions"),
        (_again("dead-letters"), "unexpected", "dead-letters"),
        (_state, "state", CHANGELOGS["windows"]),
        (_skip, "not_taken", "transactions"),
        (_again("journal"), "journal", "journal"),
    ],
)
def test_a_planted_difference_turns_it_red(played: Kafka, plant: Plant, kind: str, topic: str) -> None:
    plant(played)
    code, report, _ = verify(played)
    assert code == Exit.MISMATCH
    assert any(each[:2] == [kind, topic] for each in report["examples"]), report["examples"]


def test_what_retention_took_is_said(played: Kafka) -> None:
    _taken_away(played, "transactions")
    code, _, said = verify(played)
    assert code == Exit.GONE
    assert "transactions[" in said
    assert "retention" in said
