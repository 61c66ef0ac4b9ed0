"""Points while judging: the very points that `evaluate` measures, on the decision for a person to add up again."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from console.evaluate.judge import judge
from console.evaluate.reading import Row
from console.evaluate.stream import Stream, stream
from console.evaluate.trials import split
from console.offline import Offline
from pipeline.behaviour.features import ELSEWHERE
from pipeline.explain import recount, score_in_words
from pipeline.points.live import LEADS, LivePoints
from pipeline.points.score import Score
from pipeline.points.section import section_of
from pipeline.policy.load import PolicyError, default_yaml, load_policy
from pipeline.policy.model import Policy
from pipeline.policy.rewrite import with_section
from pipeline.record import InputRecord
from schemas.decision import Alert
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.detection import world

PAYMENTS = 3_000
# Labels teach as soon as they are said.
AT_ONCE = default_yaml().replace(b"labels: {fraud: 1h, genuine: 7d,", b"labels: {fraud: 0s, genuine: 0s,")


class Judged:
    """A world calibrated on its first two thirds without what nobody knows while judging, and judged from its start.

    No two payments of it are of one moment; each is labelled a day later.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = apart(world())
        self.streamed: Stream = stream(self.rows, MS_PER_DAY)
        trial = split(self.streamed, "time=0.67", MS_PER_DAY, week=False)
        found = judge(self.streamed, trial, ["rules"], ELSEWHERE)
        self.points: Score = found.points
        section = section_of(found.points, self.streamed.categories, found.base, "live")
        self.policy: Policy = load_policy(with_section(AT_ONCE, "points", section, 2))
        self.said = decisions(self.policy, self.rows[:PAYMENTS])


def apart(rows: list[Row]) -> list[Row]:
    """The same rows, each some milliseconds later, so that no two are of one moment."""
    return [row._replace(payment=row.payment._replace(at_ms=row.payment.at_ms + at)) for at, row in enumerate(rows)]


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


def record(number: int, row: Row) -> InputRecord:
    payment = row.payment
    value = {
        "transaction_id": f"t-{number}",
        "source": "p",
        "customer_id": payment.account,
        "occurred_at": format_ms(payment.at_ms),
        "amount": payment.amount,
        "currency": "USD",
        "transaction_type": "purchase",
        "mcc": payment.category,
        "payee_id": payment.payee,
        "terminal_id": payment.place,
    }
    return InputRecord("transactions", 0, number, payment.at_ms, payment.account.encode(), json.dumps(value).encode())


def label(number: int, row: Row, at_ms: int) -> InputRecord:
    """What a payment turned out to be, said by somebody who knows where it went."""
    payment = row.payment
    value = {
        "disposition_id": f"d-{number}",
        "customer_id": payment.account,
        "occurred_at": format_ms(at_ms),
        "actor": "ann",
        "label": "fraud" if row.fraud else "genuine",
        "status": "final",
        "transaction_id": f"t-{number}",
        "source": "p",
        "paid_at": format_ms(payment.at_ms),
        "terminal_id": payment.place,
    }
    return InputRecord("dispositions", 0, number, at_ms, payment.account.encode(), json.dumps(value).encode())


def decisions(policy: Policy, rows: list[Row]) -> list[dict[str, Any]]:
    house = Offline(policy)
    records = [record(number, row) for number, row in enumerate(rows)]
    labels = [label(number, row, row.payment.at_ms + MS_PER_DAY) for number, row in enumerate(rows)]
    told = sorted(records + labels, key=lambda each: each.timestamp)
    messages = [message for at in range(0, len(told), 97) for message in house.take(told[at : at + 97])]
    return [json.loads(message.value or b"") for message in messages if message.topic in {"decisions", "alerts"}]


def signal_of(decision: dict[str, Any]) -> dict[str, Any] | None:
    return next((signal for signal in decision["signals"] if signal["rule"] == "points"), None)


def test_the_points_of_a_decision_are_those_that_evaluate_measures(judged: Judged) -> None:
    streamed, points, section = judged.streamed, judged.points, judged.policy.points
    assert section is not None
    assert section.outcomes.challenge is not None
    filled = points.filled(streamed.features, streamed.account, streamed.at_ms)[:PAYMENTS]
    wanted = np.maximum(points.of(filled), 0) // LEADS
    said = [signal_of(each) for each in judged.said if "alert_id" not in each]
    assert len(said) == PAYMENTS
    fired = [number for number, signal in enumerate(said) if signal]
    assert fired == np.nonzero(wanted >= section.outcomes.challenge)[0].tolist()
    assert len(fired) > 50
    leading = [max(signal["parts"], key=lambda part: part["points"])["rule"] for signal in said if signal]
    assert leading.count("place-streak") > 10
    assert [signal["observed"] for signal in said if signal] == wanted[fired].tolist()


def test_an_alert_by_points_can_be_added_up_from_what_stands_on_it(judged: Judged) -> None:
    alerts = [msgspec.convert(each, Alert) for each in judged.said if "alert_id" in each and signal_of(each)]
    assert alerts
    for alert in alerts:
        checks = recount(alert, judged.policy)
        assert [check for check in checks if not check.agrees] == []
        assert "points: sum of the parts" in {check.what for check in checks}
    lone = next(alert for alert in alerts if len(alert.signals) == 1)
    assert score_in_words(lone) == f"score {lone.score} = {lone.score} of points, the strongest"
    forged = msgspec.structs.replace(
        lone, signals=(msgspec.structs.replace(lone.signals[0], parts=lone.signals[0].parts[1:]),)
    )
    assert not all(check.agrees for check in recount(forged, judged.policy))


def test_points_in_shadow_stand_there_and_ask_for_nothing(judged: Judged) -> None:
    without = load_policy(default_yaml())
    assert judged.policy.points is not None
    quiet = msgspec.structs.replace(judged.policy, points=msgspec.structs.replace(judged.policy.points, mode="shadow"))
    rows = judged.rows[:1_000]
    heard = [each for each in decisions(quiet, rows) if "alert_id" not in each]
    assert any(map(signal_of, heard))
    plain = [each for each in decisions(without, rows) if "alert_id" not in each]
    assert [(each["score"], each["outcome"]) for each in heard] == [(each["score"], each["outcome"]) for each in plain]


def test_more_points_are_never_a_lower_score_and_each_score_ends_as_its_points_do(judged: Judged) -> None:
    section = judged.policy.points
    assert section is not None
    ends_in = [0] * 30 + [1] * 30 + [2] * 25 + [3] * 25
    points = LivePoints(section, ends_in)
    scores = [points.score(total) for total in range(1_500)]
    assert scores == sorted(scores)
    begins = [section.outcomes.challenge, section.outcomes.review, section.outcomes.hold]
    for total, score in enumerate(scores):
        assert ends_in[score] == sum(total >= begin for begin in begins if begin is not None)


def test_points_need_profiles_and_a_band_for_each_outcome(judged: Judged) -> None:
    section = section_of(judged.points, judged.streamed.categories, 0.01)
    text = with_section(default_yaml(), "points", section, 2)
    bad = text.replace(b"\nprofile: true", b"\nprofile: false").replace(
        b"high: 59, outcome: challenge", b"high: 59, outcome: review"
    )
    with pytest.raises(PolicyError) as raised:
        load_policy(bad)
    said = " ".join(problem.message for problem in raised.value.problems)
    assert "points looks at profiles: add `profile: true`" in said
    assert "no band ends in challenge, so there is no score for it" in said
