"""Windows begin and end where a person with a calendar of the zone would say they do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.calendar import QUARTER_MS, Calendar, Window
from pipeline.zones import UnknownZoneError
from tests.laws.oracle import WINDOWS, Night, Oracle, moment_of

# Where clocks did something remarkable, and a moment close to it.
REMARKABLE = {
    "Europe/Berlin": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "America/Sao_Paulo": ("2018-11-04T03:00Z", "2018-02-18T02:00Z"),
    "America/Havana": ("2026-03-08T05:00Z", "2026-11-01T05:00Z"),
    "America/St_Johns": ("2010-11-07T02:31Z",),  # its springs jumped at 00:01: the oracle walks in quarter-hours
    "Asia/Kathmandu": ("2026-05-01T00:00Z",),
    "Australia/Lord_Howe": ("2026-04-04T15:00Z", "2026-10-03T15:30Z"),
    "Pacific/Apia": ("2011-12-30T10:00Z", "2011-12-31T10:00Z"),
    "UTC": ("2026-01-01T00:00Z",),
}
NIGHTS = (Night(23 * 60, 5 * 60), Night(0, 6 * 60), Night(120, 180), Night(30, 150), Night(0, 0), Night(75, 60))
_calendars = {zone: Calendar(zone) for zone in REMARKABLE}


def window_of(calendar: Calendar, window: str | Night) -> Window:
    return calendar.night(*window) if isinstance(window, Night) else calendar.window(window)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    zone = draw(st.sampled_from(sorted(REMARKABLE)))
    near = moment_of(draw(st.sampled_from(REMARKABLE[zone])))
    quarter = draw(st.one_of(st.integers(-8, 8), st.integers(-400, 400))) * QUARTER_MS
    return zone, near + quarter + draw(st.sampled_from((0, 0, -1, 1, 60_000, 333_333)))


@settings(max_examples=400, deadline=None)
@given(moments(), st.sampled_from((*WINDOWS, *NIGHTS)))
def test_a_window_begins_where_the_oracle_says(moment: tuple[str, int], window: str | Night) -> None:
    zone, t = moment
    assert window_of(_calendars[zone], window).start(t) == Oracle(zone).start(window, t)


@settings(max_examples=400, deadline=None)
@given(moments(), st.sampled_from((*WINDOWS, *NIGHTS)))
def test_an_entry_counts_until_the_end_of_its_window_and_never_again(
    moment: tuple[str, int], window: str | Night
) -> None:
    zone, t = moment
    reach = window_of(_calendars[zone], window)
    if reach.start(t) is None:
        assert reach.end(t) == t
        return
    end = reach.end(t)
    assert end > t
    still = reach.start(end - 1)
    assert still is not None
    assert still <= t
    for later in (end, end + 1, end + 3 * QUARTER_MS):
        start = reach.start(later)
        assert start is None or start > t


@pytest.mark.parametrize(
    "zone, window, at, start, end",
    [
        ("UTC", "1h", "2026-07-01T12:00:00Z", "2026-07-01T11:00:00.001Z", "2026-07-01T13:00:00Z"),
        ("UTC", "24h", "2026-07-01T12:00:00Z", "2026-06-30T12:00:00.001Z", "2026-07-02T12:00:00Z"),
        ("UTC", "7d", "2026-07-08T12:01:00Z", "2026-07-01T12:00:00Z", "2026-07-15T12:14:59.999Z"),
        ("UTC", "30d", "2026-07-31T12:14:59.999Z", "2026-07-01T12:15:00Z", "2026-08-30T12:14:59.999Z"),
        ("UTC", "30d", "2026-07-31T12:14:59.998Z", "2026-07-01T12:00:00Z", "2026-08-30T12:14:59.999Z"),
        ("Europe/Berlin", "day", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Berlin", "month", "2026-10-31T22:59Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
        ("Asia/Kathmandu", "day", "2026-05-01T00:00Z", "2026-04-30T18:15Z", "2026-05-01T18:15Z"),
        # On this day the clocks went from 23:59 straight to 01:00.
        ("America/Sao_Paulo", "day", "2018-11-04T12:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        # The clocks went back from midnight to 23:00, and at first it stayed Saturday.
        ("America/Sao_Paulo", "day", "2018-02-18T02:30Z", "2018-02-17T02:00Z", "2018-02-18T03:00Z"),
        # Newfoundland's clocks went back from 00:01 to 23:01: a minute of Sunday, and Saturday once more.
        ("America/St_Johns", "day", "2010-11-07T02:45Z", "2010-11-07T02:30Z", "2010-11-08T03:30Z"),
        ("America/St_Johns", Night(30, 150), "2010-03-14T04:00Z", "2010-03-14T03:31Z", "2010-03-14T05:00Z"),
        # Samoa crossed the date line: there was no 30 December.
        ("Pacific/Apia", "day", "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "day", "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
        ("Europe/Berlin", Night(23 * 60, 5 * 60), "2026-03-29T02:59Z", "2026-03-28T22:00Z", "2026-03-29T03:00Z"),
        ("Europe/Berlin", Night(23 * 60, 5 * 60), "2026-10-25T03:59Z", "2026-10-24T21:00Z", "2026-10-25T04:00Z"),
        ("Australia/Lord_Howe", Night(0, 105), "2026-04-04T13:30Z", "2026-04-04T13:00Z", "2026-04-04T14:45Z"),
    ],
)
def test_windows_of_remarkable_days(zone: str, window: str | Night, at: str, start: str, end: str) -> None:
    reach = window_of(_calendars[zone], window)
    assert (reach.start(moment_of(at)), reach.end(moment_of(at))) == (moment_of(start), moment_of(end))


@pytest.mark.parametrize("at", ["2026-07-01T02:59:59.999Z", "2026-07-01T20:00Z"])
def test_no_night_by_day(at: str) -> None:
    night = _calendars["Europe/Berlin"].night(23 * 60, 5 * 60)
    expected = None if at.endswith("T20:00Z") else moment_of("2026-06-30T21:00Z")
    assert night.start(moment_of(at)) == expected


def test_a_calendar_hands_out_the_same_window_each_time() -> None:
    calendar = Calendar("Europe/Berlin")
    assert calendar.window("day") is calendar.window("day")
    assert calendar.night(60, 120) is calendar.night(60, 120)
    assert calendar.night(60, 120) is not calendar.night(60, 180)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "zones", "../zones", "Europe", "europe/berlin"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    with pytest.raises(UnknownZoneError, match="unknown time zone"):
        Calendar(zone)


@pytest.mark.parametrize("night", [(-1, 60), (60, 1441), (1440, 60)])
def test_a_night_lies_within_a_day(night: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not within a day"):
        Calendar("UTC").night(*night)
