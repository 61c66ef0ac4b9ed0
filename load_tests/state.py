"""How large customers' states are after a whole data set: of the lines that `tierwatch ingest --to -` writes."""

from collections.abc import Iterable
from statistics import median, quantiles
from typing import Any

import msgspec

from load_tests.alone import Alone
from pipeline.history_bytes import owner_of, read_history
from pipeline.policy.load import default_yaml, load_policy
from pipeline.record import InputRecord
from schemas.timestamps import parse_ms

_BATCH = 1_000


class _Line(msgspec.Struct):
    topic: str
    value: msgspec.Raw


class _Body(msgspec.Struct):
    customer_id: str
    occurred_at: str


_LINE = msgspec.json.Decoder(_Line)
_BODY = msgspec.json.Decoder(_Body)


def state(lines: Iterable[bytes]) -> dict[str, Any]:
    """Return the sizes of the window states, one a customer, when all lines are judged.

    Raises:
        ValueError: a line that `tierwatch ingest --to -` would not have written.

    """
    alone = Alone(load_policy(default_yaml()))
    batch: list[InputRecord] = []
    count = 0
    for offset, text in enumerate(lines):
        try:
            line = _LINE.decode(text)
            body = _BODY.decode(line.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"line {offset + 1} is no record with a customer_id and an occurred_at: {error}") from None
        key, value = body.customer_id.encode(), bytes(line.value)
        batch.append(InputRecord(line.topic, 0, offset, parse_ms(body.occurred_at), key, value))
        count += 1
        if len(batch) == _BATCH:
            alone.take(batch)
            batch.clear()
    alone.take(batch)
    profiles = {key: profile_bytes(alone, key) for key in alone.windows}
    sizes = [len(value) - profiles[key] for key, value in alone.windows.items()]
    if not sizes:
        return {"records": count, "customers": 0}
    tenths = quantiles(sizes, n=10, method="inclusive") if len(sizes) > 1 else sizes * 9
    return {
        "records": count,
        "customers": len(sizes),
        "state_bytes_median": median(sizes),
        "state_bytes_90th_percentile": round(tenths[8]),
        "state_bytes_largest": max(sizes),
        "profile_bytes_median": median(profiles.values()),
        "profile_bytes_largest": max(profiles.values()),
        "transactions_per_second": round(count / alone.cpu_seconds),
    }


def profile_bytes(alone: Alone, key: bytes) -> int:
    """How much of a state's bytes is the profile, which is no window."""
    return len(read_history(key, alone.windows.get).lessons.to_bytes()) if key == owner_of(key) else 0
