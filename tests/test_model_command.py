"""`tierwatch model`: what is written is what workers take, and its card says what it is worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from console.errors import CommandError
from console.evaluate.stream import Stream, stream
from console.model_train import card_in_words, known_after, model_of, read, written
from pipeline.behaviour.features import ELSEWHERE, FEATURES, INDEX
from pipeline.learned.drift import Drift, stability
from pipeline.learned.model import SCORE, Model
from schemas.model_file import ModelFile
from schemas.timestamps import MS_PER_DAY
from tests.detection import world

DELAY_MS = 7 * MS_PER_DAY


@pytest.fixture(scope="module")
def streamed() -> Stream:
    return stream(world(), DELAY_MS)


@pytest.fixture(scope="module")
def trained(streamed: Stream) -> ModelFile:
    pytest.importorskip("lightgbm")
    return model_of(known_after(streamed, DELAY_MS), "cards", "ann")


def test_a_model_learns_what_was_visible_when_the_file_ended_of_what_workers_know(
    streamed: Stream, trained: ModelFile
) -> None:
    card = trained.card
    assert card.last_ms + DELAY_MS <= streamed.at_ms[-1]
    assert ELSEWHERE.isdisjoint(card.features)
    late = streamed.at_ms + DELAY_MS > streamed.at_ms[-1]
    label = np.where(late, 1 - streamed.label, streamed.label).astype(np.int8)
    assert (label != streamed.label).any()
    assert model_of(known_after(replace(streamed, label=label), DELAY_MS), "cards", "ann").card == card


def test_a_card_says_what_the_model_is_worth(trained: ModelFile) -> None:
    card = trained.card
    assert set(card.measured) >= {"auc", "ap", "cp100"}
    assert sum(each.payments for each in card.calibration) > 1_000
    # Labels at places more than double what is found, .35 without them; of 25 of them a model learns some by heart.
    assert card.measured["ap"] > 0.6
    assert 0 <= card.false_alarms["base"] < 200
    said = "\n".join(card_in_words(trained))
    assert card.sha256 in said
    assert "false alarms in 1,000 payments" in said


def test_what_is_written_is_read_again_and_nothing_else_is(tmp_path: Path, trained: ModelFile) -> None:
    file = tmp_path / "cards.model"
    file.write_bytes(written(trained))
    assert read(file) == trained
    file.write_bytes(written(trained).replace(b"left_child=1", b"left_child=0", 1))
    with pytest.raises(CommandError, match="its hash differs"):
        read(file)
    with pytest.raises(CommandError, match="No such file"):
        read(tmp_path / "none")


def test_payments_of_another_kind_are_drift_and_those_of_the_same_are_not(streamed: Stream, trained: ModelFile) -> None:
    model = Model(trained.text, trained.card)
    same, other = Drift(), Drift()
    assert same.index() == {}
    for at in range(0, 6_000, 50):
        rows = streamed.features[at : at + 50]
        same.see(model, rows, model.thousandths(rows))
        shifted = rows.copy()
        shifted[:, INDEX["amount"]] *= 5
        other.see(model, shifted, model.thousandths(shifted))
    assert set(same.index()) == {*model.card.features, SCORE}
    assert same.index()["amount"] < 0.1
    assert other.index()["amount"] > 0.25
    assert len(FEATURES) > len(model.card.features)


def test_nothing_moved_is_no_drift() -> None:
    assert stability((0.5, 0.5), np.array([10.0, 10.0])) == 0
    assert stability((0.5, 0.5), np.array([20.0, 0.0])) > 1
