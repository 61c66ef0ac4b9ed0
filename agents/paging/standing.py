"""What was told and is not over: whoever takes partitions over goes on telling it to receivers that forget."""

import time
from collections.abc import Collection, Iterable, Iterator

import msgspec

from agents.paging.unread import UNREADABLE
from agents.settings import Settings
from agents.whole_topic import WholeTopic
from pipeline.cases.case import readable
from pipeline.cases.notice import Notice, notice_of
from pipeline.policy.incidents import Incidents
from schemas.case import Case
from schemas.case_page import CasePage

_case = msgspec.json.Decoder(Case).decode


def read_case(value: bytes) -> Case:
    """Read a record of `cases`. Raises one of `UNREADABLE`."""
    return readable(_case(value))


def standing(
    settings: Settings, pages: Iterable[CasePage], terms: Incidents, numbers: Collection[int]
) -> Iterator[Notice]:
    """Yield a notice, as loud as it was told, of each open case on partitions `numbers` of `cases` that has a page."""
    cases: dict[str, Case] = {}
    with WholeTopic(settings, "cases") as whole:
        for record in whole.to_the_end():
            if record.partition in numbers and record.value is not None:
                try:
                    case = read_case(record.value)
                except UNREADABLE:  # the teller sets it aside
                    continue
                cases[case.case_id] = case
    now_ms = int(time.time() * 1000)
    for page in pages:
        case_told = cases.get(page.case_id)
        if case_told is not None and case_told.state == "open" and not page.said.startswith("over"):
            yield notice_of(case_told, page.loudness, terms, now_ms)
