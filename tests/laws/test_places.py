"""Places by their laws: a stream's is told what a ledger tells every worker, and both what a plain count says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.behaviour.baseline import SPIKE
from pipeline.beside import Beside
from pipeline.entities.keeper import Entities
from pipeline.entities.ledger import WINDOW_MS
from pipeline.entities.place import NEUTRAL, NEVER, MaturedLabel, Place
from pipeline.entities.risks import Risks
from pipeline.record import InputRecord, Message
from pipeline.tally import Tally
from schemas.codec import decode_entity_risk, encode
from schemas.entity_label import EntityLabel
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms

_AGE = 3
BEGAN = 1_700_000_000_000
DELAY_MS = 7 * MS_PER_DAY

labels = st.lists(
    st.builds(
        MaturedLabel,
        st.integers(0, 90 * 24).map(lambda hour: BEGAN + hour * MS_PER_HOUR),
        st.booleans(),
        st.sampled_from((0.0, 1.5, SPIKE, 9.0)),
    ),
    max_size=40,
).map(sorted)
moments = st.integers(0, 130 * 24).map(lambda hour: BEGAN + DELAY_MS + hour * MS_PER_HOUR)


def counted(known: list[MaturedLabel], at_ms: int) -> tuple[float, ...]:
    """What the labels of 30 days come to, counted anew."""
    recent = [each for each in known if at_ms - WINDOW_MS < each.at_ms]
    frauds = [each for each in recent if each.fraud]
    if not frauds:
        return NEUTRAL
    cleared = [index for index, each in enumerate(recent) if not each.fraud]
    since = recent[cleared[-1] + 1 :] if cleared else recent
    streak = [each for each in since if each.ratio < SPIKE]
    return (
        len(streak),
        sum(1 - each.ratio / SPIKE for each in streak),
        min([each.ratio for each in streak], default=NEVER),
        (at_ms - streak[0].at_ms) / MS_PER_DAY if streak else NEVER,
        (at_ms - recent[cleared[-1]].at_ms) / MS_PER_DAY if cleared else NEVER,
        len(frauds) / (len(recent) + 2),
        len(recent),
    )


@given(labels, st.lists(moments, max_size=6).map(sorted))
def test_a_place_tells_the_streak_and_the_risk_of_its_last_thirty_days(
    known: list[MaturedLabel], asked: list[int]
) -> None:
    place, waiting = Place(), list(known)
    for at_ms in asked:
        while waiting and waiting[0].at_ms + DELAY_MS <= at_ms:
            each = waiting.pop(0)
            place.learn(each, each.at_ms + DELAY_MS)
        wanted = counted([each for each in known if each.at_ms + DELAY_MS <= at_ms], at_ms)
        told = place.look(at_ms)
        assert (*told[:_AGE], *told[_AGE + 1 :]) == pytest.approx((*wanted[:_AGE], *wanted[_AGE + 1 :]))
        # One that goes on for longer is as old as it is, whatever is forgotten.
        assert told[_AGE] == wanted[_AGE] or (told[_AGE] >= WINDOW_MS / MS_PER_DAY and told[4] == NEVER)


@given(labels, st.lists(moments, max_size=6).map(sorted))
def test_workers_are_told_of_a_place_what_a_stream_of_the_same_labels_knows(
    known: list[MaturedLabel], asked: list[int]
) -> None:
    states: dict[bytes, bytes] = {}
    entities, risks = Entities(Beside(states.get), Tally()), Risks()

    def told(messages: list[Message]) -> None:
        for each in messages:
            if each.value is None:
                risks.forget((each.key or b"").decode())
            else:
                risks.apply(decode_entity_risk(each.value).message)

    place, waiting = Place(), list(enumerate(known))
    for at_ms in asked:
        while waiting and waiting[0][1].at_ms + DELAY_MS <= at_ms:
            number, each = waiting.pop(0)
            place.learn(each, each.at_ms + DELAY_MS)
            value = encode(said(number, each))
            told(entities.tick(each.at_ms + DELAY_MS - 1, 1)[0])
            made = entities.take(InputRecord("entity-labels", 0, 0, each.at_ms + DELAY_MS, b"terminal/t", value), None)
            assert isinstance(made, list)
            told(made)
        told(entities.tick(at_ms, 1)[0])
        risk = risks.terminals.get("t")
        streak, _, _, *others = NEUTRAL if risk is None else risk.look(at_ms)
        known_of_it = place.look(at_ms)
        assert (streak, *others) == (known_of_it[0], *known_of_it[3:])


def test_a_streak_that_goes_on_is_as_old_as_it_is_though_its_beginning_is_forgotten() -> None:
    place = Place()
    for day in (0, 12, 24, 36):
        place.learn(MaturedLabel(BEGAN + day * MS_PER_DAY, fraud=True, ratio=1.0), BEGAN + (day + 7) * MS_PER_DAY)
    streak, *_, age, cleared, _, labelled = place.look(BEGAN + 45 * MS_PER_DAY)
    assert (streak, age, cleared, labelled) == (2, 45, NEVER, 2)
    place.learn(MaturedLabel(BEGAN + 39 * MS_PER_DAY, fraud=False, ratio=1.0), BEGAN + 46 * MS_PER_DAY)
    assert place.look(BEGAN + 46 * MS_PER_DAY)[0] == 0


def said(number: int, label: MaturedLabel) -> EntityLabel:
    return EntityLabel(
        kind="terminal",
        value="t",
        payment=f"{number:016x}",
        customer="0" * 16,
        paid_at=format_ms(label.at_ms),
        label="fraud" if label.fraud else "genuine",
        weight=100,
        matures_at=format_ms(label.at_ms + DELAY_MS),
        spike=label.ratio >= SPIKE,
    )
