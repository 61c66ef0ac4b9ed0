"""Real card payments through Kafka: every offset has one outcome, and a replay says the same, field by field."""

import gzip
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, headers, prepare, read

DATA = Path(__file__).parents[3] / "shared" / "data" / "sparkov.csv.gz"
# All 355,615 payments take minutes: `TIERWATCH_TEST_PAYMENTS=355615 make test ARGS=tests/kafka/test_history.py`.
Fields = dict[str, Any]
PAYMENTS = int(os.environ.get("TIERWATCH_TEST_PAYMENTS", "20000"))


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data/sparkov.csv.gz beside the project")
@pytest.mark.timeout(1200)
def test_every_offset_has_one_outcome_and_a_replay_says_the_same(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka, history=True)
    source = tmp_path / "payments.csv"
    with gzip.open(DATA, "rb") as packed, source.open("wb") as plain:
        plain.writelines(itertools.islice(packed, PAYMENTS + 1))
    broker = {**os.environ, "TIERWATCH_BROKER": empty_kafka.bootstrap}
    ingest = [sys.executable, "-m", "console", "ingest", "--format", "sparkov", str(source), "--no-dispositions"]
    subprocess.run(ingest, env=broker, check=True, stdin=subprocess.DEVNULL, timeout=300)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        worker.ready()
        until(lambda: _settled(worker) >= PAYMENTS, f"{PAYMENTS} outcomes", seconds=900)
        assert worker.stop() == 0

    inputs = {
        (message.partition() or 0, message.offset() or 0) for message in read(empty_kafka.bootstrap, "transactions")
    }
    assert len(inputs) == PAYMENTS
    assert _outcomes(empty_kafka.bootstrap) == Counter(inputs)

    offline = _replay(ingest, tmp_path)
    for topic in ("decisions", "alerts"):
        said = [_fields(message.value()) for message in read(empty_kafka.bootstrap, topic)]
        assert sorted(said, key=_id) == sorted(offline[topic], key=_id)
        assert said


def _settled(worker: Worker) -> float:
    return sum(worker.metric(f"tierwatch_{name}_total") for name in ("decisions", "duplicates", "dead_letters"))


def _outcomes(broker: str) -> Counter[tuple[int, int]]:
    """How often each input offset is accounted for: the journal's records less its duplicates are decided or dead."""
    outcomes: Counter[tuple[int, int]] = Counter()
    for message in read(broker, "dead-letters"):
        said = headers(message)
        outcomes[int(said["partition"]), int(said["offset"])] += 1
    offsets: dict[str, tuple[int, int]] = {}
    for message in read(broker, "transactions"):
        offsets[_fields(message.value())["transaction_id"]] = (message.partition() or 0, message.offset() or 0)
    for message in read(broker, "decisions"):
        outcomes[offsets[_fields(message.value())["transaction_id"]]] += 1
    for message in read(broker, "journal"):
        unit = _fields(message.value())
        for taken in unit["inputs"]:
            outcomes.update((unit["partition"], offset) for offset in taken.get("duplicates", ()))
    return outcomes


def _replay(ingest: list[str], folder: Path) -> dict[str, list[Fields]]:
    lines, out = folder / "lines.jsonl", folder / "out.jsonl"
    with lines.open("wb") as target:
        subprocess.run([*ingest, "--to", "-"], stdout=target, check=True, stdin=subprocess.DEVNULL, timeout=300)
    with out.open("wb") as target:
        replay = [sys.executable, "-m", "console", "replay", str(lines)]
        subprocess.run(replay, stdout=target, check=True, stdin=subprocess.DEVNULL, timeout=900)
    said: dict[str, list[Fields]] = {"decisions": [], "alerts": []}
    with out.open("rb") as written:
        for line in map(json.loads, written):
            if line["topic"] in said:
                said[line["topic"]].append(line["value"])
    return said


def _fields(value: bytes | None) -> Fields:
    fields: Fields = json.loads(value or b"")
    return fields


def _id(fields: Fields) -> str:
    return str(fields["decision_id"])
