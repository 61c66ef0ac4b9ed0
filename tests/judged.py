"""A few thousand records of every kind, and what a pipeline makes of them: for a comparison of two."""

import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from agents.compiled import is_compiled
from load_tests.month import Month
from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.rates import Rates
from pipeline.record import InputRecord
from tests.bad_input import RATE, TABLE

PAYMENTS = 3_000
_CUSTOMERS_KEPT = 40  # so few that most are read from their bytes again
_LONGEST_BATCH = 200


def records() -> Iterator[InputRecord]:
    """Payments and admissions; some told twice, late, declined, reversed, foreign, on the other lane; bad input."""
    rng = Random(7)
    month = Month(PAYMENTS, 7)
    bad = [each.record() for each in TABLE if len(each.value or b"") < 100_000]
    yield from month.grants()
    told: list[InputRecord] = []
    for record in month.payments():
        changed = _changed(record, told, rng)
        told.append(changed)
        yield changed
        if rng.random() < 0.05:
            again = rng.choice(told[-200:])
            yield again._replace(timestamp=record.timestamp)
        if rng.random() < 0.05:
            yield rng.choice(bad)._replace(timestamp=record.timestamp)
        if rng.random() < 0.03:
            value = bytearray(record.value or b"")
            value[rng.randrange(len(value))] = rng.randrange(256)
            yield record._replace(value=bytes(value))


def _changed(record: InputRecord, told: list[InputRecord], rng: Random) -> InputRecord:
    """One payment in three is an odd one."""
    fields: dict[str, Any] = json.loads(record.value or b"{}")
    odd = rng.randrange(24)
    late_ms = 0
    if odd == 0:
        late_ms = rng.randrange(30 * 3_600_000)
    elif odd == 1:
        late_ms = -rng.randrange(10 * 60_000)
    elif odd == 2:
        fields["status"] = "declined"
    elif odd == 3:
        fields |= {"currency": rng.choice(["EUR", "JPY", "XAU"]), "amount": rng.randrange(10**6)}
    elif odd == 4:
        fields |= {"description": "naïve café \t 4111 1111 1111 1112", "nobody_knows": [1, {"two": None}]}
    elif odd == 5:
        fields["amount"] = rng.choice([0, 10**9, 10**15, 2**63])
    elif odd in {6, 7} and told:
        original = json.loads(rng.choice(told[-50:]).value or b"{}")
        record = record._replace(key=original["customer_id"].encode())
        fields |= {
            "customer_id": original["customer_id"],
            "transaction_type": "reversal",
            "original_transaction_id": original["transaction_id"],
            "original_occurred_at": original["occurred_at"],
            "amount": rng.choice([original["amount"], 1, original["amount"] // 2]),
        }
    value = json.dumps(fields, ensure_ascii=False).encode()
    topic = "transactions-priority" if odd == 8 else record.topic
    return record._replace(topic=topic, value=value, timestamp=record.timestamp + late_ms)


def judge() -> dict[str, Any]:
    """All that was said and kept, as plain values."""
    books = Books(PolicyBook(Month(PAYMENTS, 7).policy), Rates())
    for date in ("2026-02-28", "2026-03-10"):
        value = json.dumps({**RATE, "date": date}).encode()
        assert books.take(InputRecord("rates", 0, 0, 0, f"EUR/{date}".encode(), value)) == []
    states: dict[str, dict[bytes, bytes]] = {"windows": {}, "dossiers": {}}
    partition = Partition(0, None, books, states["windows"].get, states["dossiers"].get, _CUSTOMERS_KEPT)
    said: list[tuple[Any, ...]] = []
    rest = list(records())
    rng = Random(8)
    while rest:
        size = rng.randrange(1, _LONGEST_BATCH)
        batch, rest = rest[:size], rest[size:]
        clock_ms = max(record.timestamp for record in batch if record.timestamp < 2**50)
        messages = partition.take(batch, clock_ms if rng.random() < 0.5 else None)
        said += [(each.topic, each.key, each.value, tuple(each.headers)) for each in messages]
        changes = partition.changes()
        for name, changed in (("windows", changes.windows), ("dossiers", changes.dossiers)):
            for key, state in changed.items():
                said.append((name, key, state))
                if state is None:
                    states[name].pop(key, None)
                else:
                    states[name][key] = state
    tally = partition.tally.drain()
    counted = sorted(tally.counts.items())
    return {"said": said, "counted": counted, "lateness": tally.lateness, "sum_ms": tally.lateness_sum_ms, **states}


def main() -> None:
    """Judge with the pipeline that this process has, and pickle what came of it."""
    Path(sys.argv[1]).write_bytes(pickle.dumps({"compiled": is_compiled(), **judge()}))
