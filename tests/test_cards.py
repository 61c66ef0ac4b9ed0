"""Cards made anew: in a format that is read, with constants that differ, and found without knowing any of them."""

from pathlib import Path

from console.evaluate.judge import judge
from console.evaluate.reading import read_rows
from console.evaluate.stream import stream
from console.evaluate.trials import split
from load_tests.cards import constants, payments, write
from schemas.timestamps import MS_PER_DAY

DELAY_MS = 7 * MS_PER_DAY


def test_seeds_differ_in_what_is_fraud_and_the_same_seed_tells_the_same() -> None:
    of = [constants(seed) for seed in range(1, 30)]
    for values in zip(*of, strict=True):
        assert len(set(values)) > len(of) / 4
    one, again = payments(of[0], 40, 1), payments(of[0], 40, 1)
    assert [column.tolist() for column in one] == [column.tolist() for column in again]
    assert (one.fraud == 1).sum() <= (one.amount > of[0].large).sum()
    assert set(one.fraud.tolist()) == {0, 1, 2, 3}


def test_points_find_fraud_whatever_its_constants(tmp_path: Path) -> None:
    file = tmp_path / "cards.csv.gz"
    written = write(file, 40, 2)
    streamed = stream(read_rows(str(file), "handbook"), DELAY_MS)
    assert len(streamed.at_ms) == written["payments"]
    assert (streamed.label == 1).sum() == written["frauds"]
    trial = split(streamed, "time=0.67", DELAY_MS, week=False)
    assert judge(streamed, trial, ["rules"], ()).measured["rules"]["ap"] > 0.6
