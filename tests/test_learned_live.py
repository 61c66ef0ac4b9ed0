"""A model beside the rules: told of on a topic, named by a policy, asked once a unit of work, never in any state."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from console.evaluate.stream import Stream, stream
from pipeline.behaviour.features import ELSEWHERE, GROUPS, INDEX
from pipeline.beside import Beside
from pipeline.books import Books
from pipeline.explain import recount
from pipeline.history_bytes import digest_of, read_history
from pipeline.learned.cooling import SUFFIX, Cooling, UnreadableCoolingError
from pipeline.learned.drift import Drift, sliced
from pipeline.learned.model import Model
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import PolicyError, default_yaml, load_policy
from pipeline.policy.model import Policy
from pipeline.policy.rewrite import with_section
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from schemas.codec import encode
from schemas.decision import Alert
from schemas.model_file import ModelFile
from schemas.timestamps import MS_PER_DAY, parse_ms
from tests.detection import world
from tests.test_points_live import record

PAYMENTS = 1_500
ROWS = world()
SECTION = "learned:\n  mode: {mode}\n  model: {model}\n  outcomes: {{challenge: 200, review: 600, hold: 900}}\n"


class House:
    """One partition with its states, and whatever models it was told of."""

    def __init__(self, policy: Policy, model: Model | None = None) -> None:
        self.books = Books(PolicyBook(policy), Rates())
        if model is not None:
            assert [message.topic for message in self.books.take(told(model))] == ["audit"]
        self.states: dict[bytes, bytes | None] = {}
        self.dossiers: dict[bytes, bytes | None] = {}
        self.partition = Partition(0, None, self.books, self.states.get, self.dossiers.get)

    def take(self, records: Sequence[InputRecord], at_once: int = 97) -> list[Message]:
        messages: list[Message] = []
        for at in range(0, len(records), at_once):
            messages += self.partition.take(records[at : at + at_once])
            changes = self.partition.changes()
            self.states |= changes.windows
            self.dossiers |= changes.dossiers
        return messages


def told(model: Model, text: str = "", key: bytes = b"cards") -> InputRecord:
    file = ModelFile(
        model="cards", actor="ann", at="2026-01-01T00:00:00.000Z", card=model.card, text=text or model.text
    )
    return InputRecord("models", 0, 0, 0, key, encode(file))


def policy_with(model: Model, mode: str) -> Policy:
    return load_policy(with_section(default_yaml(), "learned", SECTION.format(mode=mode, model=model.card.sha256), 2))


def values(messages: list[Message], topic: str) -> list[dict[str, Any]]:
    return [json.loads(message.value or b"") for message in messages if message.topic == topic]


def learned(decision: dict[str, Any]) -> dict[str, Any] | None:
    return next((signal for signal in decision["signals"] if signal["rule"] == "learned"), None)


@pytest.fixture(scope="module")
def streamed() -> Stream:
    return stream(ROWS, MS_PER_DAY)


@pytest.fixture(scope="module")
def model(streamed: Stream) -> Model:
    boosted = pytest.importorskip("pipeline.learned.boosted", exc_type=ImportError)
    fraud = (streamed.label == 1).astype(np.int8)
    # Nobody labels anything here, so places are neutral to whoever judges.
    without = sorted({*ELSEWHERE, *GROUPS["terminals"]})
    trained: Model = boosted.train(streamed.features, fraud, streamed.at_ms, streamed.categories, without)
    return trained


@pytest.fixture(scope="module")
def records() -> list[InputRecord]:
    return [record(number, row) for number, row in enumerate(ROWS[:PAYMENTS])]


def test_a_model_in_shadow_says_what_evaluate_measures_and_changes_nothing_else(
    model: Model, streamed: Stream, records: list[InputRecord]
) -> None:
    house, without = House(policy_with(model, "shadow"), model), House(policy_with(model, "shadow"))
    said, plain = (values(each.take(records), "decisions") for each in (house, without))
    wanted = model.thousandths(streamed.features[:PAYMENTS])
    fired = {number: signal["observed"] for number, each in enumerate(said) if (signal := learned(each))}
    assert fired == {number: value for number, value in enumerate(wanted.tolist()) if value >= 200}
    assert len(fired) > 10
    assert {each["model_version"] for each in said} == {model.card.sha256}
    assert house.states == without.states
    for one, other in zip(said, plain, strict=True):
        assert [signal for signal in one["signals"] if signal["rule"] != "learned"] == other["signals"]
        assert (one["score"], one["outcome"]) == (other["score"], other["outcome"])
    counts = house.partition.tally.drain().counts
    assert counts["signals", "learned", "shadow"] == len(fired)


def test_a_live_model_raises_outcomes_and_never_feeds_state(model: Model, records: list[InputRecord]) -> None:
    house, without = House(policy_with(model, "live"), model), House(policy_with(model, "shadow"))
    messages = house.take(records)
    said, plain = values(messages, "decisions"), values(without.take(records), "decisions")
    assert house.states == without.states
    order = ["pass", "challenge", "review", "hold"]
    rises = [
        order.index(one["outcome"]) - order.index(other["outcome"]) for one, other in zip(said, plain, strict=True)
    ]
    assert min(rises) == 0
    assert max(rises) > 0
    counts = house.partition.tally.drain().counts
    for outcome in order:
        assert counts.get(("decisions", outcome, "base"), 0) == sum(each["outcome"] == outcome for each in said)
    alerts = [msgspec.convert(each, Alert) for each in values(messages, "alerts")]
    by_model = [alert for alert in alerts if alert.signals[-1].rule == "learned"]
    assert by_model
    for alert in by_model:
        checks = recount(alert, policy_with(model, "live"), model)
        assert [check for check in checks if not check.agrees] == []
        assert "learned: in a thousand" in {check.what for check in checks}
    alerted = {alert.decision_id for alert in alerts}
    assert {
        each["decision_id"] for each in said if each["outcome"] in {"review", "hold"} and not each.get("cooled")
    } == alerted


def test_an_alert_of_the_model_alone_carries_the_digest_of_what_its_payment_was_judged_on(
    model: Model, records: list[InputRecord]
) -> None:
    policy = policy_with(model, "live")
    house, one_by_one = House(policy, model), House(policy, model)
    told = {alert["transaction_id"]: alert for alert in values(house.take(records), "alerts")}
    by_model = 0
    for number, each in enumerate(records):
        alert = told.get(f"t-{number}")
        if alert is not None:
            key = each.key or b""
            assert alert["state_digest"] == digest_of(key, read_history(key, one_by_one.states.get))
            by_model += alert["features"].keys() == {"learned"}
        one_by_one.take([each])
    assert by_model > 3


def test_a_model_alone_alerts_of_a_customer_once_in_its_cool_down_unless_the_outcome_rises(
    model: Model, records: list[InputRecord]
) -> None:
    section = SECTION.format(mode="live", model=model.card.sha256) + "  cool_down: 10d\n"
    house = House(load_policy(with_section(default_yaml(), "learned", section, 2)), model)
    messages = house.take(records)
    last: dict[str, tuple[int, str]] = {}
    for alert in values(messages, "alerts"):
        if alert["features"].keys() == {"learned"}:
            at_ms, customer = parse_ms(alert["arrived_at"]), alert["customer_id"]
            before_ms, outcome = last.get(customer, (-(10**15), ""))
            assert at_ms - before_ms >= 10 * MS_PER_DAY or (outcome, alert["outcome"]) == ("review", "hold")
            last[customer] = at_ms, alert["outcome"]
    assert last
    cooled = [each for each in values(messages, "decisions") if each.get("cooled") and learned(each)]
    assert cooled
    often = values(House(policy_with(model, "live"), model).take(records), "alerts")
    assert len(often) > len(values(messages, "alerts"))


@pytest.mark.parametrize("state", [b"\x09\x00\x92\x01\x02", b"\x01\x00\xff"])
def test_a_cool_down_that_cannot_be_read_stops_the_worker(state: bytes) -> None:
    cooling = Cooling(Beside({b"anna" + SUFFIX: state}.get))
    with pytest.raises(UnreadableCoolingError):
        cooling.cools(b"anna", 0, 2, MS_PER_DAY)


@pytest.mark.parametrize("at_once", [1, 1_500])
def test_what_a_model_says_does_not_depend_on_the_borders_of_batches(
    model: Model, records: list[InputRecord], at_once: int
) -> None:
    policy = policy_with(model, "live")
    assert House(policy, model).take(records[:600], at_once) == House(policy, model).take(records[:600])


def test_without_its_file_a_policy_is_judged_without_the_model_until_the_file_comes(
    model: Model, records: list[InputRecord]
) -> None:
    house = House(policy_with(model, "live"))
    assert {each.get("model_version") for each in values(house.take(records[:50]), "decisions")} == {None}
    house.books.take(told(model))
    later = values(house.take(records[50:100]), "decisions")
    assert {each["model_version"] for each in later} == {model.card.sha256}


@pytest.mark.parametrize(
    "text,key,said",
    [
        ("tree\nnot a model", b"cards", "its hash differs"),
        ("", b"other", "the record's key must be the model's name"),
    ],
)
def test_a_file_that_does_not_fit_is_a_dead_letter_that_says_why(
    model: Model, text: str, key: bytes, said: str
) -> None:
    house = House(load_policy(default_yaml()))
    (letter,) = house.books.take(told(model, text, key))
    assert letter.topic == "dead-letters"
    assert said.encode() in dict(letter.headers)["detail"]
    assert house.books.models.told == {}


def test_a_hostile_text_under_its_own_hash_is_refused(model: Model) -> None:
    text = model.text.replace("left_child=", "left_child=7", 1)
    card = msgspec.structs.replace(model.card, sha256=sha256(text.encode()).hexdigest())
    file = ModelFile(model="cards", actor="eve", at="2026-01-01T00:00:00.000Z", card=card, text=text)
    house = House(load_policy(default_yaml()))
    (letter,) = house.books.take(InputRecord("models", 0, 0, 0, b"cards", encode(file)))
    assert letter.topic == "dead-letters"
    assert b"tree 0" in dict(letter.headers)["detail"]


def test_what_does_not_fit_in_the_section_is_named(model: Model) -> None:
    section = SECTION.format(mode="live", model=model.card.sha256).replace("review: 600", "review: 100")
    with pytest.raises(PolicyError, match="likelier fraud never ends milder"):
        load_policy(with_section(default_yaml(), "learned", section, 2))


def test_drift_is_small_where_nothing_moved_and_much_where_amounts_did(model: Model, streamed: Stream) -> None:
    name = model.card.features[0]
    slices = {name: sliced(streamed.features[:, INDEX[name]].astype(np.float64))}
    known = Model(model.text, msgspec.structs.replace(model.card, slices=slices))

    def drift_of(rows: npt.NDArray[np.float32]) -> dict[str, float]:
        drift, thousandths = Drift(), np.full(len(rows), 1, np.intp)
        drift.see(known, rows[:20], thousandths[:20])
        assert drift.index() == {}  # none too early
        for first in range(0, len(rows), 40):
            drift.see(known, rows[first : first + 40], thousandths[first : first + 40])
        return drift.index()

    own = np.tile(streamed.features, (-(-4_000 // len(streamed.features)), 1))
    moved = own.copy()
    moved[:, INDEX[name]] = moved[:, INDEX[name]].max() * 10
    assert drift_of(own)[name] < 0.1
    assert drift_of(moved)[name] > 0.25
