"""A model trained, told of, proposed, signed by two and asked by a worker that nobody restarted; then rolled back."""

import json
from pathlib import Path

import pytest

from agents.exit_codes import Exit
from load_tests.services.wait import until
from tests.detection import world
from tests.kafka.house import await_records, payment, publish_payments
from tests.kafka.test_policies import house as house  # noqa: PLC0414 - a fixture
from tests.kafka.test_policy_commands import Officers
from tests.kafka.test_policy_commands import officers as officers  # noqa: PLC0414 - a fixture
from tests.test_evaluate import handbook

pytest.importorskip("lightgbm")


def test_a_model_is_in_shadow_first_asked_once_two_have_signed_and_rolled_back(
    officers: Officers, tmp_path: Path
) -> None:
    house, (ana, ben, cleo) = officers.house, officers.names
    file, trained = handbook(tmp_path / "payments.csv", world()), tmp_path / "fraud.model"
    officers.type("train", file, "--format", "handbook", "--out", trained, command="model")
    digest = json.loads(officers.type("show", trained, "--json", command="model").stdout)["sha256"]
    with house.worker() as worker:
        worker.ready()
        live = officers.type("propose", trained, "--live", who=ana, code=Exit.BAD_INPUT, command="model")
        assert "was never in shadow" in live.stderr
        assert f"SHA-256 {digest}" in officers.type("propose", trained, who=ana, command="model").stdout
        officers.type("approve", "2", who=ben, command="model")
        officers.type("approve", "2", who=cleo, command="model")
        until(lambda: worker.metric("tierwatch_model_info", model=digest) == 1, "the model is asked", seconds=60)
        assert worker.metric("tierwatch_model_missing") == 0
        publish_payments(house.kafka, [payment(1, "c-1")])
        (decision,) = [json.loads(each.value() or b"") for each in await_records(house.kafka.bootstrap, "decisions", 1)]
        assert decision["model_version"] == digest
        officers.type("rollback", "1", who=ana, command="model")
        officers.type("rollback", "1", who=cleo, command="model")
        until(lambda: worker.metric("tierwatch_policy_info", version="1") == 1, "version 1 again", seconds=60)
        assert worker.stop() == 0
    history = officers.type("history", command="model").stdout
    assert digest[:12] in history
    assert "shadow, by version 2 of the policy" in history
