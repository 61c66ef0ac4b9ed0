"""What is to be noticed is noticed in whatever order it is told: failed second factors, and evidence about to end."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.whitelist.review import EXPIRY_NOTICE_MS
from schemas.account_action import AccountAction
from schemas.re_review import ReReview
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms
from tests.laws.life_told import MAKE, START, Now, Told, event
from tests.laws.test_wishes import at_silver


def step_ups(told: Told) -> int:
    return sum(isinstance(body, AccountAction) and body.action == "step_up" for body in told.said)


@given(st.lists(st.integers(0, 60), unique=True, min_size=1, max_size=6), st.data())
def test_no_delay_hides_three_failures_of_a_day(hours: list[int], data: st.DataObject) -> None:
    orderly, disorderly = at_silver(), at_silver()
    failed = [(START + hour * MS_PER_HOUR, number) for number, hour in enumerate(sorted(hours), start=1)]
    late = [(at_ms + data.draw(st.integers(0, 24)) * MS_PER_HOUR, at_ms, number) for at_ms, number in failed]
    for at_ms, number in failed:
        orderly.tell(event(Now(at_ms, number, orderly.dossier, None), "second_factor.failed", method="otp"), at_ms)
    for arrival_ms, at_ms, number in sorted(late):
        fields = event(Now(at_ms, number, disorderly.dossier, None), "second_factor.failed", method="otp")
        disorderly.tell(fields, arrival_ms)
    assert bool(step_ups(disorderly)) == bool(step_ups(orderly))


@given(st.lists(st.tuples(st.integers(1, 70), st.integers(1, 120)), unique_by=lambda one: one[0], max_size=4))
def test_of_every_end_of_evidence_somebody_is_told_in_time(filings: list[tuple[int, int]]) -> None:
    told, ends = at_silver(), dict(filings)
    for day in range(1, 79):
        now_ms = START + day * MS_PER_DAY
        told.look(now_ms)
        if day in ends:
            fields = MAKE["identity"](lambda _: None, Now(now_ms, day, told.dossier, None))
            told.tell({**fields, "expires_at": format_ms(now_ms + ends[day] * MS_PER_DAY)}, now_ms)
            told.look(now_ms + 1)
        asked = {body.due_at for body in told.said if isinstance(body, ReReview) and body.why == "evidence_expiring"}
        for one in told.dossier.file:
            if one.expires_ms is not None and one.expires_ms - EXPIRY_NOTICE_MS <= now_ms:
                assert format_ms(one.expires_ms) in asked
