"""How many pages people can take: so many a minute, and one summary for all that comes beyond, or comes too late."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, Self

from pipeline.cases.case import check_times
from pipeline.cases.notice import SUMMARY_NAME, Notice, is_backlog
from schemas.case import Case
from schemas.case_page import CasePage
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms, parse_ms

# So long after its last case a summary is over, and the next one is another page.
OVER_MS: Final = MS_PER_HOUR

Kind = Literal["many", "backlog"]
_SAID: Final[dict[Kind, str]] = {
    "many": "more cases than can be paged one by one",
    "backlog": "cases about what happened long ago: an outage has ended",
}


def summary_of(page: CasePage | None, case: Case) -> str:
    """The summary that a case is still part of; empty where it pages by itself.

    One that was over is another page, and so is a late one to which something new has come.
    """
    if page is None or page.said.startswith("over") or (page.summary.startswith("backlog") and not is_backlog(case)):
        return ""
    return page.summary


def readable(page: CasePage) -> CasePage:
    """The page itself, where its times can be read.

    Raises:
        UnreadableTimeError: a time is none.

    """
    kind, _, began = page.summary.partition("@")
    check_times(page.at, *([began] if kind in _SAID else [kind] if kind else []))
    return page


def receiver_key(name: str) -> str:
    """What stands on `case-pages` for the page about a receiver that takes nothing."""
    return f"receiver:{name}"


def is_of_case(page: CasePage) -> bool:
    """Whether it tells of a case, and not of a summary or a receiver."""
    return "@" not in page.case_id and ":" not in page.case_id


def is_paged(page: CasePage | None) -> bool:
    """Whether it has paged already, by itself, and is not over since."""
    return page is not None and page.loudness == "page" and not page.said.startswith("over")


class Summary(NamedTuple):
    """One page for many cases. Its `key` says when it began, so whoever reads its cases again goes on with it."""

    kind: Kind
    began_ms: int
    last_ms: int
    cases: int

    @property
    def key(self) -> str:
        """What receivers know it by."""
        return f"{self.kind}@{format_ms(self.began_ms)}"

    def notice(self, *, over: bool = False) -> Notice:
        """What receivers hear of it."""
        return Notice(
            key=self.key,
            name=SUMMARY_NAME,
            state="over" if over else "open",
            loudness="page",
            summary=f"{self.cases:,} {_SAID[self.kind]}",
            description="`tierwatch cases list` shows them; none of them pages by itself.",
            queue="all",
            since_ms=self.began_ms,
            until_ms=self.last_ms + OVER_MS,
        )


class Storm:
    """What was paged of late. `per_minute` pages go out one by one; every case is in at most one summary."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._paged_ms: list[int] = []
        self.summaries: dict[Kind, Summary] = {}

    @classmethod
    def remembered(cls, per_minute: int, pages: Iterable[CasePage]) -> Self:
        """Go on from what was told before."""
        storm = cls(per_minute)
        for page in sorted(filter(is_of_case, pages), key=lambda page: page.at):
            at_ms = parse_ms(page.at)
            if page.summary:
                kind, _, began = page.summary.partition("@")
                storm._add(kind, at_ms, parse_ms(began))  # type: ignore[arg-type]
            elif page.loudness == "page":
                storm._paged_ms.append(at_ms)
        return storm

    def summary_for(self, now_ms: int, *, backlog: bool) -> Summary | None:
        """The summary that a new page becomes part of; None where it goes out by itself."""
        if backlog:
            return self._add("backlog", now_ms, now_ms)
        self._paged_ms = [at_ms for at_ms in self._paged_ms if now_ms - at_ms < MS_PER_MINUTE]
        if len(self._paged_ms) >= self._per_minute:
            return self._add("many", now_ms, now_ms)
        self._paged_ms.append(now_ms)
        return None

    def over(self, now_ms: int) -> list[Summary]:
        """The summaries that nothing was added to for so long; they are forgotten."""
        gone = [each for each in self.summaries.values() if now_ms - each.last_ms >= OVER_MS]
        for each in gone:
            del self.summaries[each.kind]
        return gone

    def _add(self, kind: Kind, at_ms: int, began_ms: int) -> Summary:
        known = self.summaries.get(kind)
        if known is None or at_ms - known.last_ms >= OVER_MS:
            known = Summary(kind, began_ms, at_ms, 0)
        self.summaries[kind] = known._replace(last_ms=at_ms, cases=known.cases + 1)
        return self.summaries[kind]
