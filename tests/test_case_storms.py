"""Beyond so many a minute cases share a page, and whoever starts anew goes on with what was paged."""

from pathlib import Path

import msgspec
import pytest

from pipeline.cases.storm import OVER_MS, Storm, Summary, is_paged, summary_of
from schemas.case import Case
from schemas.case_page import CasePage
from schemas.timestamps import MS_PER_MINUTE, format_ms, parse_ms

GOLDEN = Path(__file__).parents[1] / "schemas" / "golden"
NOW_MS = parse_ms("2026-11-22T10:00:00Z")


def test_beyond_so_many_a_minute_cases_share_one_page() -> None:
    storm = Storm(20)
    alone = [storm.summary_for(NOW_MS + each * 1_000, backlog=False) for each in range(50)]
    assert [each is None for each in alone] == [True] * 20 + [False] * 30
    assert {each.key for each in alone if each} == {f"many@{format_ms(NOW_MS + 20_000)}"}
    assert storm.summaries["many"].notice().summary.startswith("30 more cases")
    assert storm.summary_for(NOW_MS + 2 * MS_PER_MINUTE, backlog=False) is None


def test_a_pager_that_starts_anew_goes_on_with_what_was_paged() -> None:
    storm = Storm(20)
    pages = []
    for each in range(50):
        at_ms = NOW_MS + each * 1_000
        summary = storm.summary_for(at_ms, backlog=False)
        pages.append(
            CasePage(
                case_id=f"case-{each}",
                said="open page",
                loudness="ticket" if summary else "page",
                at=format_ms(at_ms),
                receivers=(),
                summary=summary.key if summary else "",
            )
        )
    again = Storm.remembered(20, reversed(pages))
    assert again.summaries == storm.summaries
    later = NOW_MS + 51_000
    assert again.summary_for(later, backlog=False) == storm.summary_for(later, backlog=False)


def test_a_backlog_shares_one_page_and_takes_nobody_s_place() -> None:
    storm = Storm(1)
    assert [storm.summary_for(NOW_MS, backlog=True) for _ in range(3)][-1] == Summary("backlog", NOW_MS, NOW_MS, 3)
    assert storm.summary_for(NOW_MS, backlog=False) is None


def test_a_summary_is_over_an_hour_after_its_last_case() -> None:
    storm = Storm(1)
    storm.summary_for(NOW_MS, backlog=True)
    assert storm.over(NOW_MS + OVER_MS - 1) == []
    (over,) = storm.over(NOW_MS + OVER_MS)
    assert (over.notice(over=True).state, storm.summaries) == ("over", {})


def case_in(alerts: int, delayed: int) -> Case:
    return msgspec.structs.replace(
        msgspec.json.decode((GOLDEN / "case" / "v1-minimal.json").read_bytes(), type=Case),
        alerts=alerts,
        delayed=delayed,
    )


@pytest.mark.parametrize(
    "summary, said, alerts, delayed, stays",
    [
        ("many@1", "open ticket", 2, 0, "many@1"),
        ("backlog@1", "open ticket", 2, 2, "backlog@1"),
        ("backlog@1", "open ticket", 2, 1, ""),
        ("many@1", "over ticket", 2, 0, ""),
        ("", "open page", 2, 0, ""),
    ],
)
def test_a_summary_stands_for_a_case_until_something_new_comes(
    summary: str, said: str, alerts: int, delayed: int, stays: str
) -> None:
    page = CasePage(case_id="c", said=said, loudness="ticket", at=format_ms(NOW_MS), receivers=(), summary=summary)
    assert summary_of(page, case_in(alerts, delayed)) == stays
    assert not is_paged(page)
    assert not is_paged(msgspec.structs.replace(page, loudness="page", said="over page"))
    assert is_paged(msgspec.structs.replace(page, loudness="page", said="taken page"))
