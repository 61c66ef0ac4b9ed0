"""The ten faults: what breaks, which alert must be heard and how soon, which panel must show it, what mends it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from load_tests.incidents import clock_ahead
from load_tests.incidents.house import LOOKS_S, House
from load_tests.incidents.traffic import in_an_hour_ms

_HOT = "c-hot"
# So many shall wait; how many that takes, the machine decides.
_FLOOD, _LITTLE, _MUCH = 5_000, 5_000, 20_000
_REVIEW_IN_S = 5.0
_UNAVAILABLE = 503


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that breaks.

    `own_s` is what tierwatch itself needs until its metrics say so, which no rule file makes faster; `query_s` how
    long, in the rule as committed, its query then takes to become true, beside its `for`. The panel passes `value`
    upwards (`least`) or downwards (`most`).
    """

    name: str
    how: str
    alert: str
    own_s: float
    query_s: float = 0.0
    board: str
    panel: str
    passes: Literal["least", "most"]
    value: float
    breaks: Callable[[House], None]
    mends: Callable[[House], None]


def _new_redis(house: House) -> None:
    house.redis.kill()
    house.start_redis()


def _pay_no_heed(house: House) -> None:
    house.duty.refusals = [_UNAVAILABLE] * 100_000
    house.traffic.huge()


def _listen(house: House) -> None:
    house.duty.refusals = []


def _poison(house: House) -> None:
    house.traffic.poisoned = True


def _no_poison(house: House) -> None:
    house.traffic.poisoned = False


def _fall_silent(house: House) -> None:
    house.traffic.silent.add("atm-network")


def _send_again(house: House) -> None:
    house.traffic.silent.clear()


def _one_worker(house: House) -> None:
    house.end_workers()
    house.start(0)


def _wrong_clock(house: House) -> None:
    house.traffic.publish("customer-events", "c-reviewed", house.office.grant("c-reviewed", _REVIEW_IN_S))
    house.end_workers()
    house.start(0, clock_ahead.__name__)


def _says(house: House, events: list[bytes]) -> None:
    for event in events:
        house.traffic.publish("policies", house.office.policy, event)


def _later_policy(house: House) -> None:
    _says(house, house.office.changed(in_an_hour_ms(0.9)))
    house.start(1, clock_ahead.__name__)


@contextmanager
def flooded(house: House) -> Iterator[None]:
    """One customer sends as much as keeps thousands of records waiting, until the block ends."""
    over = threading.Event()

    def flood() -> None:
        count = _FLOOD
        while not over.wait(LOOKS_S):
            told = house.asked("sum(tierwatch_lag_records)")
            waiting = float(told[0]["value"][1]) if told else 0.0
            if waiting < _LITTLE:
                count *= 2
            elif waiting > _MUCH:
                count = max(_FLOOD, count // 2)
            for _ in range(count if waiting < _MUCH else 0):
                house.traffic.payment("card-network", _HOT)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hot(house: House) -> None:
    house.fault.enter_context(flooded(house))


def _cool(house: House) -> None:
    house.fault.close()


FAULTS = (
    Fault(
        name="Redis gone",
        how="Redis is killed",
        alert="TierwatchRedisAway",
        own_s=5,
        board="engine",
        panel="Redis",
        passes="most",
        value=0,
        breaks=lambda house: house.redis.kill(),
        mends=_new_redis,
    ),
    Fault(
        name="poison messages",
        how="five records a second that are no JSON",
        alert="TierwatchDeadLetters",
        own_s=5,
        board="now",
        panel="Dead letters by reason",
        passes="least",
        value=20,
        breaks=_poison,
        mends=_no_poison,
    ),
    Fault(
        name="receiver dead",
        how="PagerDuty answers 503, and a case pages",
        alert="TierwatchReceiverSilent",
        own_s=35,  # half a minute without taking anything is dead
        board="now",
        panel="Receivers",
        passes="most",
        value=0,
        breaks=_pay_no_heed,
        mends=_listen,
    ),
    Fault(
        name="worker gone",
        how="the only worker is killed",
        alert="TierwatchNoWorker",
        own_s=0,
        board="now",
        panel="Workers",
        passes="most",
        value=0,
        breaks=lambda house: house.end_workers(),
        mends=_one_worker,
    ),
    Fault(
        name="broker down",
        how="Kafka is frozen, its connections stay",
        alert="TierwatchBrokerAway",
        own_s=12,  # ten seconds without a word are silence
        board="engine",
        panel="Kafka",
        passes="most",
        value=0,
        breaks=lambda house: house.broker.send(signal.SIGSTOP),
        mends=lambda house: house.broker.send(signal.SIGCONT),
    ),
    Fault(
        name="review schedule stalled",
        how="the worker's clock is an hour ahead, so that its ticks are refused; a review falls due",
        alert="TierwatchReviewsStalled",
        own_s=25,  # a worker begins anew
        board="whitelist",
        panel="Overdue",
        passes="least",
        value=600,
        breaks=_wrong_clock,
        mends=_one_worker,
    ),
    Fault(
        name="a rule gone wild",
        how="a new policy, signed by two, alerts at any payment; mended by a signed rollback",
        alert="TierwatchRuleWild",
        own_s=15,  # a policy takes effect five seconds after it is signed
        board="fraud",
        panel="Alerts by rule",
        passes="least",
        value=50,
        breaks=lambda house: _says(house, house.office.changed(time.time_ns() // 1_000_000, wild=True)),
        mends=lambda house: _says(house, house.office.rolled_back()),
    ),
    Fault(
        name="policy skew",
        how="a second worker, whose clock is an hour ahead, has tomorrow's policy in force",
        alert="TierwatchPolicySkew",
        own_s=25,  # a worker begins
        board="policy",
        panel="Versions at once",
        passes="least",
        value=2,
        breaks=_later_policy,
        mends=_one_worker,
    ),
    Fault(
        name="processor silent",
        how="one of two processors sends nothing more",
        alert="TierwatchProcessorSilent",
        own_s=5,
        query_s=600,
        board="now",
        panel="Transactions by processor",
        passes="most",
        value=0,
        breaks=_fall_silent,
        mends=_send_again,
    ),
    Fault(
        name="hot partition",
        how="one customer sends more than a worker judges",
        alert="TierwatchHotPartition",
        own_s=10,
        board="engine",
        panel="Waiting by partition",
        passes="least",
        value=1_000,
        breaks=_hot,
        mends=_cool,
    ),
)
