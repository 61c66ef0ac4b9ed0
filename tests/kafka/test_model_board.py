"""The panels that look at a model, asked of a real Prometheus that watches a worker which has one in shadow."""

from pathlib import Path

import numpy as np
import pytest

from console.evaluate.stream import stream
from load_tests.services.kafka import Kafka
from load_tests.services.prometheus import Prometheus
from load_tests.services.run import Run
from load_tests.services.wait import until
from pipeline.behaviour.features import ELSEWHERE, GROUPS
from pipeline.policy.load import default_yaml
from pipeline.policy.rewrite import with_section
from schemas.codec import encode
from schemas.model_file import ModelFile
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.boards import of_models, unanswered
from tests.detection import world
from tests.kafka.house import Worker, payment, prepare, publish, publish_payments

boosted = pytest.importorskip("pipeline.learned.boosted", exc_type=ImportError)


def policy_with_a_model(kafka: Kafka, folder: Path) -> str:
    """Tell of a model, and name it in a policy, in shadow and with signals for whatever is paid."""
    past = stream(world(), MS_PER_DAY)
    fraud = (past.label == 1).astype(np.int8)
    model = boosted.train(past.features, fraud, past.at_ms, past.categories, sorted({*ELSEWHERE, *GROUPS["terminals"]}))
    file = ModelFile(model="cards", actor="ana", at=format_ms(0), card=model.card, text=model.text)
    publish(kafka, "models", [("cards", encode(file))])
    section = f"learned:\n  mode: shadow\n  model: {model.card.sha256}\n  outcomes: {{challenge: 1}}\n"
    policy = folder / "policy.yaml"
    policy.write_bytes(with_section(default_yaml(), "learned", section, 1))
    return str(policy)


def test_each_panel_on_models_has_something_to_show(
    empty_kafka: Kafka, prometheus: str, run: Run, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    policy = policy_with_a_model(empty_kafka, tmp_path)
    logs, folder = tmp_path / "worker", tmp_path / "prometheus"
    logs.mkdir()
    folder.mkdir()
    with Worker(logs, empty_kafka.bootstrap, policy=policy) as worker:
        port = worker.ready().said(r"metrics served port=(\d+)")[1]
        watching = Prometheus(prometheus, run, folder, {"tierwatch": f"127.0.0.1:{port}"})
        # Increases are between two looks.
        until(lambda: watching.asked("query", query="count_over_time(up[1m]) > 1"), "two scrapes")
        publish_payments(empty_kafka, (payment(number, f"c-{number}") for number in range(20)))
        # How far payments have drifted can be said of two thousand, taken over some minutes: test_learned_live.py.
        asked = {query for query in of_models() if "tierwatch_drift" not in query}
        assert unanswered(watching, asked, seconds=30) == set()
        assert worker.stop() == 0
