"""Detection is measured as it would have been at the time: nothing leaks, in whatever order; the figures are right."""

import csv
import json
import re
from hashlib import blake2b
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agents.exit_codes import Exit
from console.errors import CommandError
from console.evaluate.judge import judge
from console.evaluate.metrics import card_precision, interval, measure, resampled
from console.evaluate.online import score_online
from console.evaluate.page import main
from console.evaluate.reading import Row
from console.evaluate.stream import Stream, stream
from console.evaluate.trials import folds, split
from pipeline.behaviour.features import FEATURES, GROUPS, INDEX
from pipeline.behaviour.payment import DEPOSIT, Payment
from pipeline.points.section import score_of, section_of
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.rewrite import with_section
from schemas.timestamps import MS_PER_DAY
from tests.detection import CARDS, world
from tests.test_console import tierwatch

DELAY_MS = 7 * MS_PER_DAY
SPLIT = "time=0.67"
DEFAULT = Path(__file__).parents[1] / "pipeline" / "policy" / "default.yaml"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return world()


@pytest.fixture(scope="module")
def streamed(rows: list[Row]) -> Stream:
    return stream(rows, DELAY_MS)


def test_labels_that_are_not_visible_yet_change_nothing(rows: list[Row], streamed: Stream) -> None:
    pytest.importorskip("lightgbm")
    trial = split(streamed, SPLIT, DELAY_MS, week=False)
    now_ms = int(streamed.at_ms[trial.past])
    flipped = [row._replace(fraud=not row.fraud) if row.payment.at_ms + DELAY_MS > now_ms else row for row in rows]
    other = stream(flipped, DELAY_MS)
    until = int(np.searchsorted(streamed.at_ms, now_ms, side="right"))
    assert (streamed.label != other.label).sum() > until - trial.visible.sum()
    np.testing.assert_array_equal(other.features[:until], streamed.features[:until])
    again = split(other, SPLIT, DELAY_MS, week=False)
    first, second = judge(streamed, trial, ["rules", "learned"], ()), judge(other, again, ["rules", "learned"], ())
    assert second.points == first.points
    assert second.measured["learned"]["model"] == first.measured["learned"]["model"]


def test_a_label_counts_from_the_moment_it_is_known(rows: list[Row], streamed: Stream) -> None:
    sooner = stream(rows, MS_PER_DAY)
    streak = INDEX["streak"]
    assert sooner.features[:, streak].sum() != streamed.features[:, streak].sum()
    first = next(row.payment.at_ms for row in rows if row.fraud)
    before = streamed.at_ms < first + DELAY_MS
    assert not streamed.features[before, streak].any()


def test_the_order_in_which_accounts_are_told_within_a_moment_does_not_matter(rows: list[Row]) -> None:
    chance = Random(3)
    paying = [_to_each_other(row, chance) for row in rows]
    shuffled = list(paying)
    for _ in range(5):
        for index in range(len(shuffled) - 1):
            one, next_ = shuffled[index : index + 2]
            apart = one.payment.account != next_.payment.account
            if apart and one.payment.at_ms == next_.payment.at_ms and chance.random() < 1 / 2:
                shuffled[index : index + 2] = next_, one
    assert shuffled != paying
    assert any(row.received for row in paying)
    told, retold = ({key(row): seen for row, seen in _seen(each)} for each in (paying, shuffled))
    assert told == retold


def _to_each_other(row: Row, chance: Random) -> Row:
    """Every third payment goes to another card, which receives it."""
    if chance.random() < 2 / 3:
        return row
    payee = f"card-1-{chance.randrange(CARDS)}"
    paid = row.payment._replace(payee=payee)
    return Row(paid, row.fraud, (paid._replace(account=payee, kind=DEPOSIT, payee=""),))


def test_names_and_the_size_of_money_do_not_matter(streamed: Stream, rows: list[Row]) -> None:
    """A copy with other names, of cards and terminals alike, and every amount 1.7 times as large."""
    renamed = [row._replace(payment=_renamed(row.payment)) for row in rows]
    other = stream(renamed, DELAY_MS)
    first, second = (
        judge(each, split(each, SPLIT, DELAY_MS, week=False), ["rules"], ()).measured["rules"]
        for each in (streamed, other)
    )
    assert second["ap"] == pytest.approx(first["ap"], abs=0.02)
    same = [index for name, index in INDEX.items() if name in {*GROUPS["rhythm"], *GROUPS["terminals"]} - {"sum_24h"}]
    np.testing.assert_allclose(other.features[:, same], streamed.features[:, same], atol=0.02)


def _renamed(payment: Payment) -> Payment:
    account, place, payee = (
        blake2b(name.encode()).hexdigest()[:12] for name in (payment.account, payment.place, payment.payee)
    )
    return payment._replace(amount=round(payment.amount * 1.7), account=account, place=place, payee=payee)


def key(row: Row) -> tuple[object, ...]:
    return (*row.payment, row.fraud)


def _seen(rows: list[Row]) -> list[tuple[Row, tuple[float, ...]]]:
    unique = {key(row): row for row in rows}
    assert len(unique) == len(rows)
    return list(zip(rows, map(tuple, stream(rows, DELAY_MS).features.tolist()), strict=True))


def test_points_find_what_they_were_never_told_about_in_worlds_of_other_constants() -> None:
    for seed, large, times in ((2, 25_000, 4), (3, 60_000, 6)):
        other = stream(world(seed, large=large, times=times), DELAY_MS)
        trial = split(other, SPLIT, DELAY_MS, week=False)
        found = judge(other, trial, ["rules"], ()).measured["rules"]
        base = float((other.label[trial.tested] == 1).mean())
        assert found["ap"] > 4 * base
        assert found["fitted"] <= 600


def test_without_the_terminals_less_is_found(streamed: Stream) -> None:
    trial = split(streamed, SPLIT, DELAY_MS, week=False)
    whole, without = (
        judge(streamed, trial, ["rules"], names).measured["rules"]["ap"]
        for names in ((), [name for name in FEATURES if "streak" in name])
    )
    assert whole > without + 0.02


def test_points_are_the_same_once_they_stand_in_a_policy_and_are_read_from_it(streamed: Stream) -> None:
    trial = split(streamed, SPLIT, DELAY_MS, week=False)
    judged = judge(streamed, trial, ["rules"], ())
    section = section_of(judged.points, streamed.categories, judged.base)
    once = with_section(default_yaml(), "points", section, 2)
    twice = with_section(once, "points", section, 3)
    assert twice.replace(b"version: 3", b"version: 2") == once
    assert once.startswith(default_yaml()[:100])
    points = load_policy(once).points
    assert points is not None
    assert points.categories == streamed.categories
    read = score_of(points)
    assert read == judged.points
    np.testing.assert_array_equal(read.of(streamed.features), judged.points.of(streamed.features))


def test_points_that_count_on_know_each_label_only_from_its_day_on(rows: list[Row], streamed: Stream) -> None:
    # Without what terminals learn within a day: the points are those of the day's beginning.
    scored = score_online(streamed, DELAY_MS, GROUPS["terminals"])
    day_ms = int(streamed.at_ms[len(streamed.at_ms) // 2]) // MS_PER_DAY * MS_PER_DAY
    flipped = [row._replace(fraud=not row.fraud) if row.payment.at_ms + DELAY_MS > day_ms else row for row in rows]
    other = score_online(stream(flipped, DELAY_MS), DELAY_MS, GROUPS["terminals"])
    until = int(np.searchsorted(streamed.at_ms, day_ms + MS_PER_DAY))
    np.testing.assert_array_equal(scored.scores[:until], other.scores[:until])
    assert (scored.scores[until:] != other.scores[until:]).any()


def test_a_cold_start_is_measured_too(tmp_path: Path, rows: list[Row]) -> None:
    file = handbook(tmp_path / "payments.csv", rows)
    options = ("--format", "handbook", "--split", SPLIT, "--mode", "rules", "--online", "--json")
    done = tierwatch("evaluate", str(file), *options)
    assert done.returncode == 0, done.stderr
    (cold,) = re.findall(r"nothing known: rules: AUC [\d.]+, AP ([\d.]+)", done.stderr)
    assert 0.1 < float(cold) < json.loads(done.stdout.splitlines()[-1])["rules"]["ap"]


def test_points_that_count_on_begin_with_nothing_and_come_near_to_those_calibrated_on_all(streamed: Stream) -> None:
    scored = score_online(streamed, DELAY_MS, ())
    first_fraud_ms = int(streamed.at_ms[streamed.label == 1][0])
    assert not scored.scores[streamed.at_ms < first_fraud_ms + DELAY_MS].any()
    trial = split(streamed, SPLIT, DELAY_MS, week=False)
    counted, calibrated = (
        judge(streamed, trial, ["rules"], (), online).measured["rules"]["ap"] for online in (scored, None)
    )
    assert counted > 0.85 * calibrated


def test_a_fold_is_a_week_of_training_one_of_delay_and_one_of_test_without_cards_known_by_then(
    streamed: Stream,
) -> None:
    start_ms = 17_620 * MS_PER_DAY
    (trial,) = folds(streamed, ["2018-03-30"], DELAY_MS, week=True)
    trained, tested = streamed.at_ms[trial.visible], streamed.at_ms[trial.tested]
    assert start_ms <= trained.min()
    assert trained.max() < start_ms + 7 * MS_PER_DAY
    assert start_ms + 14 * MS_PER_DAY <= tested.min()
    assert tested.max() < start_ms + 21 * MS_PER_DAY
    frauds = (streamed.label == 1) & (streamed.at_ms >= start_ms)
    for index in np.nonzero(trial.tested)[0].tolist():
        day = streamed.at_ms[index] // MS_PER_DAY * MS_PER_DAY
        own = frauds & (streamed.account == streamed.account[index])
        assert not (streamed.at_ms[own] + DELAY_MS <= day).any()


@pytest.mark.parametrize("where", ["rows=2", "time=x", "lately", "rows="])
def test_a_split_that_makes_no_sense_is_named(streamed: Stream, where: str) -> None:
    with pytest.raises(CommandError) as raised:
        split(streamed, where, DELAY_MS, week=False)
    assert raised.value.code == Exit.SETTINGS


def test_the_measures_are_those_of_the_definition() -> None:
    score = np.array([9.0, 8, 8, 7, 1])
    fraud = np.array([1, 0, 1, 0, 0], dtype=np.int8)
    none = np.zeros(5, dtype=np.int64)
    found = measure(score, fraud, np.arange(5, dtype=np.int32), none)
    # Of six pairs of a fraud and a genuine payment five are in order and one is level.
    assert found.auc == pytest.approx(5.5 / 6)
    assert found.ap == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert found.cp100 == pytest.approx(2 / 100)


def test_a_card_that_was_found_is_not_found_again() -> None:
    score, fraud = np.array([1.0, 1.0]), np.array([1, 1], dtype=np.int8)
    same, day = np.zeros(2, dtype=np.int32), np.array([0, 1])
    assert card_precision(score, fraud, same, day) == pytest.approx((1 / 100 + 0) / 2)


def test_an_interval_holds_the_measure(streamed: Stream) -> None:
    trial = split(streamed, SPLIT, DELAY_MS, week=False)
    found = judge(streamed, trial, ["rules"], ())
    tested = trial.tested
    low, high = interval(resampled(found.scores["rules"], streamed.label[tested], streamed.account[tested]))
    assert low < found.measured["rules"]["ap"] < high


def test_the_command_measures_a_file(tmp_path: Path, rows: list[Row]) -> None:
    pytest.importorskip("lightgbm")
    file = handbook(tmp_path / "payments.csv", rows)
    out = tmp_path / "policy.yaml"
    options = (
        "--format",
        "handbook",
        "--split",
        "rows=0.67",
        "--without",
        "memory",
        "--policy-out",
        str(out),
        "--json",
    )
    done = tierwatch("evaluate", str(file), *options)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["rules"].keys() == {"auc", "ap", "cp100", "fitted"}
    assert said["rules"]["ap"] > 0.3
    assert said["learned"]["ap"] > 0.3
    assert len(said["folds"]) == 1
    proposed = load_policy(out.read_bytes())
    assert proposed.points is not None
    assert proposed.points.fitted == said["rules"]["fitted"] <= 600
    compared = tierwatch("policy", "diff", str(DEFAULT), str(out))
    assert "policy: version 1 -> 2" in compared.stdout
    assert "policy: points.mode none -> shadow" in compared.stdout
    assert "policy: points.tables.spike" in compared.stdout


@pytest.mark.parametrize(
    "options,words",
    [
        (("--format", "handbook"), "Give one of --protocol, --folds and --split"),
        (("--format", "handbook", "--protocol", "A", "--split", "rows=0.5"), "Give one of"),
        (("--format", "handbook", "--protocol", "A", "--without", "luck"), "no such group"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(options: tuple[str, ...], words: str) -> None:
    done = tierwatch("evaluate", "nothing.csv", *options)
    assert done.returncode == Exit.SETTINGS
    assert words in done.stderr


def handbook(path: Path, rows: list[Row]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"])
        for number, (payment, fraud, _) in enumerate(rows):
            at = np.datetime64(payment.at_ms, "ms").astype("datetime64[s]").item()
            amount = f"{payment.amount / 100:.2f}"
            writer.writerow([number, str(at), payment.account, payment.place, amount, int(bool(fraud))])
    return path


def test_the_page_keeps_the_rows_that_are_not_measured_anew(tmp_path: Path, streamed: Stream) -> None:
    pytest.importorskip("lightgbm")
    page = tmp_path / "detection.md"
    head = "| data |\n|---|\n"
    kept = "| paysim, rows=0.67 | history | - | kept |\n"
    page.write_text(f"before\n<!-- measured -->\n{head}{kept}<!-- /measured -->\nafter\n")
    main([str(tmp_path), "sparkov", "population"], page, lambda *_: streamed)
    written = page.read_text()
    before, row, after = re.split(r"(?<=\|---\|\n)|(?=\| paysim)", written)
    assert before == f"before\n<!-- measured -->\n{head}"
    assert re.fullmatch(
        r"\| sparkov, time=0.67 \| history \| population \|( [01]\.\d{3} \|| \d+ \|| [\d.]+ \([\d.]+-[\d.]+\) \|)+\n",
        row,
    )
    assert after == f"{kept}<!-- /measured -->\nafter\n"
