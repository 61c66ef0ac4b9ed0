"""What tests of the pager share: alerts as workers publish them, a pager in a process of its own, and what it makes."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.ids import derived_id
from schemas.case import Case
from schemas.codec import encode
from schemas.decision import Alert, Signal
from schemas.timestamps import format_ms
from tests.kafka.house import read

Record = tuple[str | bytes | None, bytes | None]


def alert(number: int, customer: str, at_ms: int | None = None, **more: object) -> Alert:
    """A breach that holds money, now unless told otherwise."""
    at = format_ms(int(time.time() * 1000) if at_ms is None else at_ms)
    breach = Signal(rule="amount_24h", mode="live", severity="critical", points=90, observed=2, limit=1)
    fields: dict[str, Any] = {
        "decision_id": f"d-{number}",
        "transaction_id": f"t-{number}",
        "source": "test",
        "customer_id": customer,
        "occurred_at": at,
        "arrived_at": at,
        "outcome": "hold",
        "tier": "gold",
        "score": 90,
        "lane": "standard",
        "policy_version": 1,
        "policy_hash": "00",
        "signals": (breach,),
        "base_tier_signals": (),
        "alert_id": derived_id("alert", customer, number),
        "reasons": (),
        "features": {},
        "state_digest": "00",
    }
    return Alert(**fields | more)


def records(alerts: Iterable[Alert]) -> list[Record]:
    return [(each.customer_id, encode(each)) for each in alerts]


class Pager(NamedTuple):
    """A process, and what it says."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def port(self) -> int:
        """Return where its metrics are."""
        served = until(lambda: re.search(r"metrics served port=(\d+)", self.log.read_text()), "its metrics' port")
        return int(served[1])


@contextmanager
def pager(folder: Path, kafka: Kafka, **more: str) -> Iterator[Pager]:
    """`tierwatch pager` until the block ends; its log in pager.log. `alertmanager="http://…"` is its setting."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
    own = {"broker": kafka.bootstrap, "session_timeout": "6", "metrics_host": "127.0.0.1", "metrics_port": "0", **more}
    environment |= {f"TIERWATCH_{name.upper()}": text for name, text in own.items()}
    file = folder / "pager.log"
    with file.open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "console", "pager"], env=environment, stdout=log, stderr=log)
    try:
        yield Pager(process, file)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def newest(kafka: Kafka) -> dict[str, Case]:
    """Return each case as it stands."""
    decode = msgspec.json.Decoder(Case).decode
    found = [decode(message.value() or b"") for message in read(kafka.bootstrap, "cases")]
    return {case.case_id: case for case in found}


def standing(kafka: Kafka) -> list[Case]:
    return [case for case in newest(kafka).values() if case.state != "absorbed"]
