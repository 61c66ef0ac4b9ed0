"""What receivers are told: one notice for a case or a summary, whatever they make of it. Nobody's name, no amount."""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pipeline.cases.case import ends_ms, pages
from pipeline.policy.incidents import Incidents
from schemas.case import Case
from schemas.timestamps import MS_PER_DAY, parse_ms

# A case that somebody has ends when they close it. So long after it was told last, its pagers are gone for good.
_HELD_MS: Final = 30 * MS_PER_DAY

# What receivers know them by, beside the alerts of Prometheus: cases and summaries are the security team's.
CASE_NAME: Final = "TierwatchCase"
SUMMARY_NAME: Final = "TierwatchCases"
RECEIVER_NAME: Final = "TierwatchReceiverSilent"

Loudness = Literal["page", "ticket"]
State = Literal["open", "taken", "over"]


class Notice(Struct, frozen=True, kw_only=True):
    """The newest of a `key` holds. Times are epoch milliseconds; `until_ms` is when it is over by itself."""

    key: str
    name: str
    state: State
    loudness: Loudness
    summary: str
    description: str
    queue: str
    since_ms: int
    until_ms: int

    @property
    def said(self) -> str:
        """What must not be told twice, and what must be told when it changes."""
        return f"{self.state} {self.loudness}"


def notice_of(case: Case, loudness: Loudness, terms: Incidents, now_ms: int) -> Notice:
    """A case as receivers hear of it; `loudness` is at most its own."""
    state: State = "over" if case.state != "open" else "taken" if case.assignee else "open"
    until_ms = now_ms if state == "over" else ends_ms(case, terms)
    return Notice(
        key=case.case_id,
        name=CASE_NAME,
        state=state,
        loudness=loudness,
        summary=_summary(case),
        description=(
            f"Since {case.opened_at}: {', '.join(case.rules)}. Queue {case.queue}, to be taken up by {case.due_at}. "
            f"`tierwatch cases show {case.case_id}`"
        ),
        queue=case.queue,
        since_ms=min(parse_ms(case.page_after), now_ms),
        until_ms=now_ms + _HELD_MS if state == "taken" else until_ms,
    )


def again(notice: Notice, now_ms: int) -> Notice | None:
    """The notice as it is told again, to whoever forgets; None where it is over by itself."""
    if notice.state == "taken":
        return replace(notice, until_ms=now_ms + _HELD_MS)
    return notice if notice.until_ms > now_ms else None


def loudness(case: Case) -> Loudness:
    """`page`: somebody is woken, because money is held or a critical rule fired. `ticket` otherwise, and once calm."""
    return "page" if pages(case.severity) else "ticket"


def told_from_ms(case: Case) -> int:
    """From when on receivers hear of it, epoch milliseconds. What is over is told at once."""
    if case.state != "open":
        return 0
    return max(parse_ms(case.page_after), parse_ms(case.snoozed_until) if case.snoozed_until else 0)


def is_backlog(case: Case) -> bool:
    """Whether it is all about what happened long ago: after an outage such cases share one page."""
    return case.delayed == case.alerts


def _summary(case: Case) -> str:
    counted = f"{case.alerts:,} alert{'' if case.alerts == 1 else 's'}"
    what = f"campaign of {case.rule}: {counted}" if case.rule else counted
    return f"{what} on one {case.correlation}, up to {case.outcome}{' (delayed)' if is_backlog(case) else ''}"
