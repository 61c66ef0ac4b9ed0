"""A partition asks thousands for one cause: bounded in each unit of work, each once, and the same after a restart."""

import pytest

from pipeline import partition as partitions
from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import load_policy
from pipeline.policy.sweeps import SPREAD_MS
from pipeline.rates import Rates
from pipeline.record import Message
from pipeline.whitelist import restart
from pipeline.whitelist.dossier import Dossier, Evidence, Grant
from pipeline.whitelist.restart import state_of
from schemas.timestamps import MS_PER_DAY
from tests.policy_story import NOW, Story, yaml

STRICTER = yaml(2, swap=("amount_month: 9000", "amount_month: 8000"))
GOLD, BASE = 300, 100
MOST = 70


class House:
    """One partition whose states survive a restart."""

    def __init__(self, story: Story) -> None:
        self.books = Books(story.book, Rates())
        self.windows: dict[bytes, bytes] = {}
        self.dossiers = states("c", GOLD, "gold")
        self.start()

    def start(self) -> None:
        self.partition = Partition(0, None, self.books, self.windows.get, self.dossiers.get)
        self.partition.restore(self.dossiers.items())

    @property
    def moved(self) -> bool:
        """Whether the last tick changed anything."""
        return self.partition.ticked

    def tick(self, at_ms: int) -> list[Message]:
        messages = self.partition.take((), at_ms)
        for key, value in self.partition.changes().dossiers.items():
            if value is not None:
                self.dossiers[key] = value
        return messages


def states(of: str, count: int, tier: str) -> dict[bytes, bytes]:
    names = [f"{of}-{number}" for number in range(count)]
    return {name.encode(): state(name, tier, dormant_ms=0) for name in names}


def state(customer_id: str, tier: str, dormant_ms: int, review_ms: int = NOW + 300 * MS_PER_DAY) -> bytes:
    evidence = (Evidence("identity", "file-1", NOW, None),)
    end_ms = review_ms + 10 * MS_PER_DAY
    steps = (review_ms, end_ms)
    grant = Grant(tier, "e-1", ("ana",), evidence, NOW, NOW + 365 * MS_PER_DAY, review_ms, end_ms, steps, dormant_ms)
    return state_of(customer_id, Dossier(grant=grant, active_ms=NOW)) or b""


@pytest.fixture
def tightened(monkeypatch: pytest.MonkeyPatch) -> tuple[House, int]:
    """A house that knew its customers before gold was tightened, and when it was."""
    monkeypatch.setattr(partitions, "MOST_ANNOUNCED", MOST)
    story = Story()
    house = House(story)
    house.dossiers |= states("s", BASE, "silver")
    house.start()
    story.enact(STRICTER, story.first)
    return house, story.now_ms


def asked(messages: list[Message]) -> list[bytes | None]:
    return [message.key for message in messages if message.topic == "re-reviews"]


def test_so_many_at_a_time_each_once_and_whoever_is_not_concerned_never(tightened: tuple[House, int]) -> None:
    house, begun_ms = tightened
    assert house.tick(begun_ms - 1) == []
    end_ms = begun_ms + SPREAD_MS["policy_tightened"]
    units: list[list[bytes | None]] = []
    while house.moved or not units:
        units.append(asked(house.tick(end_ms)))
    assert [len(unit) for unit in units] == [MOST] * 4 + [GOLD - 4 * MOST, 0]
    everybody = [key for unit in units for key in unit]
    assert set(everybody) == {b"c-%d" % number for number in range(GOLD)}
    assert len(set(everybody)) == len(everybody)


def test_a_day_asks_a_seventh_and_a_restart_changes_nothing(tightened: tuple[House, int]) -> None:
    house, begun_ms = tightened
    days = []
    for day in range(1, 9):
        if day == 3:
            house.start()
        units = [asked(house.tick(begun_ms + day * MS_PER_DAY))]
        while house.moved:
            units.append(asked(house.tick(begun_ms + day * MS_PER_DAY)))
        days.append([key for unit in units for key in unit])
    assert all(GOLD / 7 / 2 < len(keys) < GOLD / 7 * 2 for keys in days[:7])
    assert days[7] == []
    assert sum(map(len, days)) == GOLD


def test_after_a_standstill_what_is_said_and_its_order_are_the_same_with_a_restart_and_without() -> None:
    story = Story()
    house = House(story)
    # Of a tier that the policy leaves as it is, and due within the days of the sweep.
    due_ms = {f"s-{number}": story.now_ms + (10 - number) * MS_PER_DAY // 2 for number in range(9)}
    house.dossiers |= {name.encode(): state(name, "silver", 0, at_ms) for name, at_ms in due_ms.items()}
    house.start()
    story.enact(STRICTER, story.first)
    end_ms = story.now_ms + SPREAD_MS["policy_tightened"]
    before = dict(house.dossiers)
    through = house.tick(end_ms)
    watched = dict(house.dossiers)
    house.dossiers = before
    house.start()
    assert house.tick(end_ms) == through
    assert house.dossiers == watched
    assert set(asked(through)) == before.keys()


def test_once_everybody_was_asked_a_restart_reads_no_life(
    tightened: tuple[House, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, begun_ms = tightened
    while asked(house.tick(begun_ms + SPREAD_MS["policy_tightened"])):
        pass
    asked_of = dict(house.dossiers)
    monkeypatch.setattr(restart, "decode", None)
    house.start()
    assert len(house.partition.reviews.clock) == len(asked_of)
    # Nor of whom it never concerned.
    assert sum(state in asked_of.values() for state in states("s", BASE, "silver").values()) == BASE


def test_a_look_that_finds_a_payment_says_nothing_and_is_written_all_the_same() -> None:
    house = House(Story())
    house.dossiers = {b"c-1": state("c-1", "gold", dormant_ms=30 * MS_PER_DAY)}
    house.start()
    paid_ms = NOW + 10 * MS_PER_DAY
    house.partition.customers.get(b"c-1").history.last_arrival_ms = paid_ms
    before = house.dossiers[b"c-1"]
    days = (31, 32)  # by a day more at the latest
    assert [(house.tick(NOW + day * MS_PER_DAY), house.moved) for day in days] == [([], True), ([], False)]
    assert house.dossiers[b"c-1"] != before
    assert asked(house.tick(paid_ms + 31 * MS_PER_DAY)) == [b"c-1"]


def test_a_book_that_never_changed_sweeps_nobody() -> None:
    assert PolicyBook(load_policy(yaml(1).encode())).sweeps == ()
