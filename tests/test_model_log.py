"""A model is trained on a log: on the very features that workers had, and on what labels said by then."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest

from console.errors import CommandError
from console.evaluate.stream import stream
from console.model_log import Known, from_files
from console.model_train import model_of
from pipeline.behaviour.features import ELSEWHERE, GROUPS, INDEX
from pipeline.learned.model import Model
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.rewrite import with_section
from pipeline.record import InputRecord
from schemas.model_file import ModelFile
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms
from tests.detection import world
from tests.test_learned_live import SECTION, House, learned, values
from tests.test_points_live import AT_ONCE, apart, record
from tests.test_points_live import label as labelled

ROWS = world(seed=5)[:3_000]
LATE_MS = 3 * MS_PER_HOUR
OUT = ("purchase", "transfer", "withdrawal")
LIVE = [index for name, index in INDEX.items() if name not in ELSEWHERE and name != "period"]
# What labels tell of places.
TOLD = [INDEX[name] for name in GROUPS["terminals"]]
OWN = [index for index in LIVE if index not in TOLD]


def line(topic: str, value: object, at_ms: int) -> bytes:
    return json.dumps({"topic": topic, "value": value, "timestamp": at_ms}).encode() + b"\n"


def label(number: int, says: str, at_ms: int) -> bytes:
    value = {
        "disposition_id": f"d-{number}-{at_ms}",
        "customer_id": ROWS[number].payment.account,
        "occurred_at": format_ms(at_ms),
        "actor": "ann",
        "label": says,
        "status": "final",
        "transaction_id": f"t-{number}",
        "source": "p",
    }
    return line("dispositions", value, at_ms)


def payments(count: int = len(ROWS)) -> list[tuple[int, bytes]]:
    records = (record(number, row) for number, row in enumerate(ROWS[:count]))
    return [(each.timestamp, line("transactions", json.loads(each.value or b""), each.timestamp)) for each in records]


def written(folder: Path, lines: list[tuple[int, bytes]]) -> list[str]:
    file = folder / "log.jsonl"
    file.write_bytes(b"".join(text for _, text in sorted(lines, key=lambda each: each[0])))
    return [str(file)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """A log in which each payment is labelled a day later; the first is said to be fraud, and not to be, after that."""
    labels = [
        (at_ms := row.payment.at_ms + MS_PER_DAY, label(number, "fraud" if row.fraud else "genuine", at_ms))
        for number, row in enumerate(ROWS)
    ]
    at_ms = ROWS[0].payment.at_ms + 2 * MS_PER_DAY
    labels += [(at_ms + shift, label(0, says, at_ms + shift)) for shift, says in ((0, "fraud"), (9, "inconclusive"))]
    files = written(tmp_path_factory.mktemp("log"), payments() + labels)
    return from_files(files, load_policy(default_yaml()), None)


@pytest.fixture(scope="module")
def file(known: Known) -> ModelFile:
    pytest.importorskip("lightgbm")
    return model_of(known, "cards", "ann")


def test_each_feature_of_a_log_is_what_evaluate_makes_of_the_same_payments(known: Known) -> None:
    streamed = stream(ROWS, MS_PER_DAY)
    np.testing.assert_array_equal(known.stream.features[:, OWN], streamed.features[:, OWN])
    assert known.stream.categories == streamed.categories
    np.testing.assert_array_equal(known.stream.at_ms, streamed.at_ms)


def test_what_labels_tell_of_places_is_what_evaluate_makes_of_them(tmp_path: Path) -> None:
    rows = apart(ROWS[:2_000])
    told = [record(number, row) for number, row in enumerate(rows)]
    told += [labelled(number, row, row.payment.at_ms + MS_PER_DAY) for number, row in enumerate(rows)]
    lines = [(each.timestamp, line(each.topic, json.loads(each.value or b""), each.timestamp)) for each in told]
    known = from_files(written(tmp_path, lines), load_policy(AT_ONCE), None)
    streamed = stream(rows, MS_PER_DAY)
    np.testing.assert_array_equal(known.stream.features[:, LIVE], streamed.features[:, LIVE])
    assert (streamed.features[:, INDEX["streak"]] > 1).sum() > 20


def test_a_label_counts_from_when_it_teaches_and_the_newest_holds(known: Known) -> None:
    fraud = np.array([row.fraud for row in ROWS])
    assert known.stream.label[0] == -1
    np.testing.assert_array_equal(known.stream.label[1:], fraud[1:])
    taught_after = known.known_ms - known.stream.at_ms - MS_PER_DAY
    assert set(taught_after[1:][fraud[1:]]) == {MS_PER_HOUR}
    assert set(taught_after[1:][~fraud[1:]]) == {7 * MS_PER_DAY}


def test_what_a_model_was_asked_about_while_judging_is_what_the_log_trains_on(file: ModelFile, tmp_path: Path) -> None:
    """Of a disorderly day as well: late payments, declined ones, money that comes in and goes back."""
    model = Model(file.text, file.card)
    chance, records = Random(7), []
    for each in (record(number, row) for number, row in enumerate(ROWS[:1_200])):
        value = json.loads(each.value or b"")
        value["transaction_type"] = chance.choice([*OUT, "purchase", "deposit", "refund"])
        value["status"] = chance.choice(["authorised", "authorised", "authorised", "declined"])
        value["device_id"] = f"phone-{chance.randrange(5)}"
        arrived_ms = each.timestamp + chance.choice([0, 0, LATE_MS])
        records.append(InputRecord("transactions", 0, 0, arrived_ms, each.key, json.dumps(value).encode()))
    records.sort(key=lambda each: each.timestamp)
    section = SECTION.format(mode="shadow", model=model.card.sha256).replace("challenge: 200", "challenge: 1")
    policy = load_policy(with_section(default_yaml(), "learned", section, 2))
    said = values(House(policy, model).take(records), "decisions")
    lines = [(each.timestamp, line("transactions", json.loads(each.value or b""), each.timestamp)) for each in records]
    again = from_files(written(tmp_path, lines), policy, None).stream
    asked = [
        each
        for each, value in zip(said, (json.loads(each.value or b"") for each in records), strict=True)
        if value["status"] == "authorised" and value["transaction_type"] in OUT
    ]
    # Those of a log stand by their times.
    asked.sort(key=lambda each: str(each["occurred_at"]))
    assert len(asked) == len(again.at_ms)
    compared = 0
    for decision, row in zip(asked, again.features, strict=True):
        signal = learned(decision)
        for part in signal["parts"] if signal else ():
            if part["rule"] not in {"(all)", "category"}:
                assert part["figure"] == row[INDEX[part["rule"]]], part["rule"]
                compared += 1
    assert compared > 100 * len(model.card.features)


def test_labels_that_are_not_known_yet_when_the_log_ends_teach_nothing(known: Known, file: ModelFile) -> None:
    late = known.known_ms > known.until_ms
    assert late.any()
    flipped = np.where(late, 1 - known.stream.label, known.stream.label).astype(np.int8)
    other = known._replace(stream=replace(known.stream, label=flipped))
    assert model_of(other, "cards", "ann").card == file.card


def test_a_card_counts_the_false_alarms_of_each_tier(known: Known, file: ModelFile) -> None:
    assert known.tiers is not None
    assert set(known.tiers.tolist()) == set(file.card.false_alarms) == {"base"}
    gold = known.stream.account % 3 == 0
    card = model_of(known._replace(tiers=np.where(gold, "gold", "base")), "cards", "ann").card
    seen = np.nonzero((known.stream.label >= 0) & (known.known_ms <= known.until_ms))[0]
    share = float(gold[seen[2 * len(seen) // 3 :]].mean())
    alarms = card.false_alarms
    whole = share * alarms["gold"] + (1 - share) * alarms["base"]
    assert whole == pytest.approx(file.card.false_alarms["base"], abs=0.01)
    assert alarms["gold"] != alarms["base"]


def test_payments_that_nobody_labelled_count_as_genuine_after_a_while_where_that_is_asked(tmp_path: Path) -> None:
    lines = [*payments(300), (at_ms := ROWS[3].payment.at_ms + MS_PER_DAY, label(3, "fraud", at_ms))]
    known = from_files(written(tmp_path, lines), load_policy(default_yaml()), 5 * MS_PER_DAY)
    assert known.stream.label[3] == 1
    assert (np.delete(known.stream.label, 3) == 0).all()
    np.testing.assert_array_equal(np.delete(known.known_ms - known.stream.at_ms, 3), 5 * MS_PER_DAY)


def test_a_house_that_keeps_no_profiles_has_nothing_to_train_on(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(load_policy(default_yaml()), profile=False)
    with pytest.raises(CommandError, match="keeps no profile"):
        from_files(written(tmp_path, payments(3)), policy, None)
    with pytest.raises(CommandError, match="no payment in this log"):
        from_files(written(tmp_path, []), load_policy(default_yaml()), None)
