"""How many transactions a second a worker decides on a real Kafka, exactly once, and what one costs."""

from itertools import islice
from statistics import median
from typing import Any

import msgspec

from load_tests.month import Month
from load_tests.stand.rounds import Load, Round, measure
from load_tests.stand.stand import SESSION_S, Stand, stand
from load_tests.stand.tail import Tail
from pipeline.partitioning import partition_of
from pipeline.record import InputRecord


class _Body(msgspec.Struct):
    transaction_id: str


_BODY = msgspec.json.Decoder(_Body)


def throughput(transactions: int, seed: int, repeats: int) -> dict[str, Any]:
    """Return what was measured: `transactions` in each round, after a round to get warm."""
    with stand() as at:
        return {"tierwatch": _summary(whole_policy(at, transactions, seed, repeats))}


def whole_policy(at: Stand, transactions: int, seed: int, repeats: int) -> list[Round]:
    """Measure a worker with the whole default policy; history topics, so that it is the month of `judge`."""
    at.make_topics(history=True)
    month = Month(transactions * (repeats + 1), seed)
    policy = at.folder / "policy.yaml"
    policy.write_bytes(month.policy_yaml)
    at.load(month.grants())
    payments = month.payments()

    def prepare() -> Load:
        load = list(islice(payments, transactions))
        last = {partition_of(record.key or b"", at.partitions): record for record in load}
        at.load(load)
        return Load(len(load), {number: _transaction_id(record) for number, record in last.items()})

    with (
        Tail(at.address, "decisions") as output,
        at.worker(policy=str(policy), session_timeout=str(SESSION_S)) as worker,
    ):
        worker.said(r"worker ready partitions=\S*\[")
        return [measure(worker, prepare, output) for _ in range(repeats + 1)][1:]


def _transaction_id(record: InputRecord) -> bytes:
    return msgspec.json.encode(_BODY.decode(record.value or b"").transaction_id)


def _summary(rounds: list[Round]) -> dict[str, Any]:
    return {
        "tx_per_s": round(median(each.per_second for each in rounds)),
        "cpu_us_per_tx": round(median(each.cpu_us for each in rounds), 2),
        "rounds_cpu_us": [round(each.cpu_us, 2) for each in rounds],
    }
