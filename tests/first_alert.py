"""The README's story as data: `python -m tests.first_alert` tells it anew, when messages gain a field.

Its grant is signed with keys made from the approvers' names, which only the story's own policy trusts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.policies import read_policy
from console.record_lines import write_line
from console.replay import replay
from schemas.signing import sign
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms
from tests.grants import private_key

STORY = Path(__file__).parent / "scenarios" / "first-alert"
POLICY = STORY / "policy.yaml"
GRANTED_MS = parse_ms("2026-11-02T14:30:00Z")
TRANSFERS_MS = tuple(parse_ms(f"2026-11-20T15:{at}Z") for at in ("02:10", "09:45", "16:30", "24:05", "31:50"))
CUSTOMER = "c-1042"


def records(granted_ms: int, transfers_ms: tuple[int, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (topic, fields): a grant by two people, then transfers that stay below every limit one by one."""
    grant: dict[str, Any] = {
        "event_type": "admission.approved",
        "event_id": "grant-7001",
        "customer_id": CUSTOMER,
        "occurred_at": format_ms(granted_ms),
        "actor": "ana",
        "tier": "gold",
        "evidence": [
            {"kind": "proof_of_income", "reference": "doc-88121", "issued_at": format_ms(granted_ms - 20 * MS_PER_DAY)}
        ],
        "expires_at": format_ms(granted_ms + 364 * MS_PER_DAY),
        "review_at": format_ms(granted_ms + 88 * MS_PER_DAY),
    }
    yield (
        "customer-events",
        grant
        | {
            "signature": {"key_id": "ana-1", "value": sign(private_key("ana"), grant)},
            "countersignatures": [{"person": "ben", "key_id": "ben-1", "value": sign(private_key("ben"), grant)}],
        },
    )
    for number, at_ms in enumerate(transfers_ms, 1):
        yield (
            "transactions-priority",
            {
                "transaction_id": f"tx-{number}",
                "source": "core-banking",
                "customer_id": CUSTOMER,
                "occurred_at": format_ms(at_ms),
                "amount": 490_000,
                "currency": "USD",
                "transaction_type": "transfer",
                "channel": "mobile",
                "payee_id": "payee-77",
            },
        )


def given() -> bytes:
    lines = ({"topic": topic, "value": fields} for topic, fields in records(GRANTED_MS, TRANSFERS_MS))
    return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()


def then() -> bytes:
    return b"".join(map(write_line, replay(given().splitlines(), read_policy(POLICY))))


if __name__ == "__main__":
    (STORY / "given.jsonl").write_bytes(given())
    (STORY / "then.jsonl").write_bytes(then())
