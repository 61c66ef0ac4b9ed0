"""Whatever a dossier holds, its bytes say."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.policy.sweeps import SPREAD_MS, Sweep
from pipeline.whitelist.dossier import Allowance, Application, Basis, Contact, Dossier, Evidence, Filed, Grant, Lift
from pipeline.whitelist.dossier_bytes import AHEAD_SIZE, decode
from pipeline.whitelist.on_time import due
from pipeline.whitelist.restart import due_of, state_of
from pipeline.whitelist.table import STATES
from tests.laws.whitelist_walk import Sent, in_order_of_arrival, live, sound, ticks

# A moment and a stretch of time are another moment.
moments_ms = st.integers(-(1 << 60), 1 << 60)
evidence = st.builds(Evidence, st.text(), st.text(), moments_ms, st.none() | moments_ms)
texts = st.lists(st.text(), max_size=3).map(tuple)
grants = st.builds(
    Grant,
    st.text(),
    st.text(),
    texts,
    st.lists(evidence, max_size=3).map(tuple),
    moments_ms,
    moments_ms,
    moments_ms,
    moments_ms,
    st.lists(moments_ms, min_size=1, max_size=6).map(tuple),
    moments_ms,
    st.builds(Basis, st.text(), st.integers(0, 9), st.none() | moments_ms, texts),
)
limits = st.lists(st.tuples(st.text(), st.integers(0, 9)), max_size=2).map(tuple)
applications = st.builds(
    Application,
    st.text(),
    st.text(),
    limits,
    st.text(),
    moments_ms,
    st.sampled_from(STATES["application"]),
    moments_ms,
    st.none() | moments_ms,
    st.integers(0, 9),
    texts,
    st.booleans(),
    st.text(),
)
facts = st.lists(st.tuples(st.text(), st.text() | st.integers(0, 9)), max_size=2).map(tuple)
filed = st.builds(Filed, st.text(), st.text(), moments_ms, moments_ms, st.none() | moments_ms, st.text(), facts)
allowances = st.builds(Allowance, st.text(), st.none() | st.integers(0, 9), st.none() | moments_ms, st.text(), texts)
dossiers = st.builds(
    Dossier,
    st.none() | grants,
    st.integers(0, 9),
    st.none() | moments_ms,
    moments_ms,
    st.lists(st.binary(min_size=16, max_size=16), max_size=5).map(tuple),
    st.none() | moments_ms,
    st.none() | applications,
    st.lists(filed, max_size=2).map(tuple),
    st.lists(st.builds(Contact, st.text(), st.text(), moments_ms), max_size=2).map(tuple),
    st.lists(allowances, max_size=2).map(tuple),
    moments_ms,
    lifts=st.lists(st.builds(Lift, st.text(), moments_ms, st.integers(0, 9)), max_size=2).map(tuple),
)


@given(dossiers)
def test_a_dossier_round_trips(dossier: Dossier) -> None:
    state = state_of("c", dossier)
    assert decode(state) == dossier
    assert state_of("c", decode(state)) == state


sweeps = st.builds(
    Sweep,
    st.sampled_from(sorted(SPREAD_MS)),
    moments_ms | st.integers(0, 10),
    st.just("") | st.text(max_size=1),
    st.text(max_size=1),
    st.lists(st.text(max_size=1), max_size=2).map(tuple),
)


@given(dossiers, st.lists(sweeps, max_size=3).map(tuple))
def test_a_restart_knows_when_to_look_as_whoever_reads_the_whole_dossier_does(
    dossier: Dossier, told: tuple[Sweep, ...]
) -> None:
    state = state_of("c", dossier)
    if state is not None:
        assert due_of("c", state, told) == due("c", dossier, told)
        assert due_of("c", b"\x06\x00" + state[2 + AHEAD_SIZE :], told) == due("c", dossier, told)


@given(sound, ticks, st.data())
def test_a_restart_in_any_life_changes_nothing_that_is_due(
    arrivals: list[tuple[Sent, int]], ticks: list[int], data: st.DataObject
) -> None:
    for moment in live(in_order_of_arrival(arrivals, ticks)):
        state, told = state_of("c", moment.after), data.draw(st.lists(sweeps, max_size=2).map(tuple))
        if state is not None:
            assert due_of("c", state, told) == due("c", moment.after, told)


@given(sound, ticks)
def test_every_dossier_that_can_be_reached_round_trips(arrivals: list[tuple[Sent, int]], ticks: list[int]) -> None:
    for moment in live(in_order_of_arrival(arrivals, ticks)):
        assert decode(state_of("c", moment.after)) == moment.after
