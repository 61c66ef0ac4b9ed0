"""What was told and to whom, on `case-pages` beside its case: whoever takes a partition over goes on from there."""

import time
from collections.abc import Iterable, Iterator

import msgspec
from confluent_kafka import Producer

from agents.paging.unread import UNREADABLE, passed_over
from agents.settings import Settings
from agents.whole_topic import WholeTopic
from pipeline.cases.notice import Notice
from pipeline.cases.storm import is_of_case, readable, receiver_key
from pipeline.record import InputRecord
from schemas import cloudevents
from schemas.case_page import CasePage
from schemas.codec import encode
from schemas.timestamps import format_ms

Headers = list[tuple[str, str | bytes | None]]

_page = msgspec.json.Decoder(CasePage).decode


class Pages:
    """The pages of partitions owned. `dead` are the receivers of which others have heard that they are dead."""

    def __init__(self, settings: Settings, producer: Producer) -> None:
        self._settings = settings
        self._producer = producer
        self._by_partition: dict[int, dict[str, CasePage]] = {}
        # Summaries and receivers have no partition of their own.
        self._places: dict[str, int] = {}
        self.dead: set[str] = set()

    def assigned(self, numbers: Iterable[int]) -> None:
        """Read what stands on partitions that are ours from now on."""
        self._by_partition |= {number: {} for number in numbers}
        with WholeTopic(self._settings, "case-pages") as whole:
            for record in whole.to_the_end():
                if record.partition in numbers and record.value is not None:
                    self._remember(record)

    def revoked(self, number: int) -> Iterable[str]:
        """Forget a partition that is somebody else's. Returns what was told there."""
        self._places = {key: place for key, place in self._places.items() if place != number}
        return self._by_partition.pop(number, {})

    def __contains__(self, number: int) -> bool:
        return number in self._by_partition

    def __iter__(self) -> Iterator[CasePage]:
        return (page for pages in self._by_partition.values() for page in pages.values())

    def find(self, number: int, key: str) -> CasePage | None:
        """Return what was told of a case, of a summary or of a receiver."""
        return self._by_partition.get(self._places.get(key, number), {}).get(key)

    def write(self, number: int, page: CasePage) -> None:
        """Remember it."""
        number = self._places.get(page.case_id, number)
        self._keep(number, page)
        headers: Headers = list(cloudevents.headers(CasePage, f"{page.case_id}-{page.said}", page.at))
        self._producer.produce("case-pages", encode(page), page.case_id, number, headers=headers)
        self._producer.poll(0)

    def write_notice(self, notice: Notice, key: str, number: int = -1) -> None:
        """Remember what is no case's and nobody took yet; where it stood before, or on a partition that is ours."""
        if self._by_partition:
            at = format_ms(int(time.time() * 1000))
            page = CasePage(case_id=key, said=notice.said, loudness=notice.loudness, at=at, receivers=())
            self.write(number if number in self._by_partition else min(self._by_partition), page)

    def _remember(self, record: InputRecord) -> None:
        try:
            page = readable(_page(record.value or b""))
        except UNREADABLE as error:
            passed_over(record, error)
            return
        self._keep(record.partition, page)
        name = page.case_id.removeprefix(receiver_key(""))
        if name != page.case_id:
            (self.dead.add if page.said.startswith("open") else self.dead.discard)(name)

    def _keep(self, number: int, page: CasePage) -> None:
        self._by_partition[number][page.case_id] = page
        if not is_of_case(page):
            self._places[page.case_id] = number
