"""What a customer may beside the tier: in no order of arrival does it end as more than in the order of occurrence."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.whitelist.dossier import Allowance
from pipeline.whitelist.wishes import MOST_WISHES, tightest
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms
from tests.laws.life_told import MAKE, RULE, START, Fields, Now, Told, admission, filed, first_told, privileges

_ASKED = ("ask", "ask", "limit", "suppress", "unsuppress", "admit")
_TIMES = tuple(hours * MS_PER_HOUR for hours in (21, 24, 30, 24 * 4, 24 * 6, 24 * 50))


def at_silver() -> Told:
    """A customer whose file carries the tier: nothing that is asked for fails for want of evidence."""
    told = first_told()
    for number, kind in enumerate(("identity", "screening"), start=-3):
        now = Now(START - MS_PER_DAY, number, told.dossier, None)
        more = {"identity": {"method": "video", "document_kind": "passport"}}
        facts = more.get(kind, {"result": "clear", "list_version": "1"})
        what = "identity.verified" if kind == "identity" else "screening.completed"
        told.tell(filed(now, what, **facts), now.at_ms)
    told.tell(admission(Now(START, 0, told.dossier, None), "silver", ("cho",), applied=False), START)
    return told


@st.composite
def wished(draw: st.DrawFn) -> list[Fields]:
    """What is asked for and approved hour by hour, a higher tier included."""
    kinds = draw(st.lists(st.sampled_from(_ASKED), min_size=2, max_size=4))
    told = at_silver().dossier
    return [MAKE[kind](draw, Now(START + at * MS_PER_HOUR, at, told, None)) for at, kind in enumerate(kinds, start=1)]


@given(wished(), st.data())
def test_no_order_makes_more_of_what_was_asked_for(events: list[Fields], data: st.DataObject) -> None:
    orderly, disorderly = at_silver(), at_silver()
    for hour, fields in enumerate(events, start=1):
        orderly.tell(fields, START + hour * MS_PER_HOUR)
    for minute, fields in enumerate(data.draw(st.permutations(events))):
        disorderly.tell(fields, START + 20 * MS_PER_HOUR + minute)
    for later_ms in _TIMES:
        _, limits, quiet, _ = privileges(orderly.dossier, START + later_ms)
        _, late_limits, late_quiet, _ = privileges(disorderly.dossier, START + later_ms)
        assert late_limits[RULE] <= limits[RULE]
        assert late_quiet <= quiet


@given(wished())
def test_nothing_asked_for_raises_without_an_approval(events: list[Fields]) -> None:
    told = at_silver()
    for hour, fields in enumerate(events, start=1):
        at_ms = START + hour * MS_PER_HOUR
        told.look(at_ms)
        before = privileges(told.dossier, at_ms)[1]
        told.tell(fields, at_ms)
        if fields["event_type"] == "limit.change_requested":
            assert privileges(told.dossier, at_ms)[1][RULE] <= before[RULE]


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(1, 9)), min_size=1, max_size=30), st.data())
def test_wishes_stay_few_and_none_is_lost(asked: list[tuple[int, int | None]], data: st.DataObject) -> None:
    every = [Allowance(RULE, limit, until_ms, f"e-{at}", ()) for at, (limit, until_ms) in enumerate(asked)]
    kept: tuple[Allowance, ...] = ()
    for one in data.draw(st.permutations(every)):
        kept = tightest(*kept, one)
    assert len(kept) <= MOST_WISHES
    dossier = replace(at_silver().dossier, allowances=kept)
    for at_ms in range(10):
        wanted = min((one.limit or 0 for one in every if one.until_ms is None or at_ms < one.until_ms), default=10)
        assert (
            min(
                (one.limit or 0 for one in dossier.allowances if one.until_ms is None or at_ms < one.until_ms),
                default=10,
            )
            <= wanted
        )


def test_of_two_checks_of_one_date_the_later_counts() -> None:
    told = at_silver()
    issued = format_ms(START + MS_PER_HOUR)
    hit, clear = (
        filed(
            Now(START + hours * MS_PER_HOUR, hours, told.dossier, None),
            "screening.completed",
            result=result,
            list_version="2",
        )
        | {"issued_at": issued}
        for hours, result in ((3, "hit"), (2, "clear"))
    )
    told.tell(hit, START + 3 * MS_PER_HOUR)
    assert not told.tell(clear, START + 4 * MS_PER_HOUR)
    lift = MAKE["reinstate"](lambda _: ("cho",), Now(START + 5 * MS_PER_HOUR, 5, told.dossier, None))
    assert not told.tell(lift, START + 5 * MS_PER_HOUR)
