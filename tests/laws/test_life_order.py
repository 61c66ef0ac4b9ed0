"""No delay and no order in which a life is told leaves anybody more privileged."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Applied, apply
from pipeline.whitelist.tiers import tier_in_force
from schemas.account_action import AccountAction
from schemas.timestamps import MS_PER_HOUR
from tests.grants import decoded
from tests.laws.life_told import CONDUCT, KINDS, MAKE, POLICY, START, Fields, Now, first_told, privileges


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fields], list[int]]:
    """Events as they occurred, each made when the ones before were known; and when."""
    told, at_ms = first_told(), START
    path = draw(st.sampled_from(((), ("submit", "identity", "credit", "screening", "answer", "admit_applicant"))))
    kinds = [*path, *draw(st.lists(st.sampled_from(KINDS), max_size=8))]
    given_events: list[Fields] = []
    moments: list[int] = []
    for number, kind in enumerate(kinds, start=1):
        at_ms += draw(st.sampled_from((1, 3))) * MS_PER_HOUR
        fields = MAKE[kind](draw, Now(at_ms, number, told.dossier, told.asked))
        told.tell(fields, at_ms)
        given_events.append(fields)
        moments.append(at_ms)
    return given_events, moments


@given(stories(), st.data())
def test_no_delay_and_no_order_leaves_anybody_more_privileged(
    story: tuple[list[Fields], list[int]], data: st.DataObject
) -> None:
    events, moments = story
    if not events:
        return
    orderly = first_told()
    for fields, at_ms in zip(events, moments, strict=True):
        orderly.tell(fields, at_ms)
    delays = data.draw(st.lists(st.sampled_from((0, 0, 2, 4, 9)), min_size=len(events), max_size=len(events)))
    again = data.draw(st.lists(st.integers(0, len(events) - 1), max_size=3))
    arrivals = [
        (at_ms + delay * MS_PER_HOUR, at) for at, (at_ms, delay) in enumerate(zip(moments, delays, strict=True))
    ]
    arrivals += [(moments[at] + 10 * MS_PER_HOUR, at) for at in again]
    disorderly = first_told()
    for arrival_ms, at in sorted(arrivals):
        disorderly.tell(events[at], arrival_ms)
    for hours in (11, 30, 24 * 7, 24 * 50):
        at_ms = moments[-1] + hours * MS_PER_HOUR
        rank, limits_now, quiet, passes = privileges(orderly.dossier, at_ms)
        late_rank, late_limits, late_quiet, late_passes = privileges(disorderly.dossier, at_ms)
        assert late_rank <= rank
        assert late_quiet <= quiet
        assert late_passes <= passes
        assert late_rank < rank or all(late_limits[name] <= limit for name, limit in limits_now.items())


@given(stories())
def test_the_core_system_believes_the_tier_that_holds(story: tuple[list[Fields], list[int]]) -> None:
    events, moments = story
    dossier, believed = Dossier(), "base"
    for fields, at_ms in zip(events, moments, strict=True):
        event = decoded(fields)
        outcome = apply(event.message, event.fields, dossier, POLICY, at_ms, CONDUCT)
        if not isinstance(outcome, Applied):
            continue
        dossier = outcome.dossier
        for one in outcome.outgoing:
            if isinstance(one.body, AccountAction) and one.body.action == "tier_change":
                assert one.body.tier_from == believed
                believed = one.body.tier_to
        assert believed == tier_in_force(dossier, POLICY, at_ms).name
