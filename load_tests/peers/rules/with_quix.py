# mypy: ignore-errors
"""The reduced rules on Quix Streams: a stateful function over RocksDB with a changelog, at least once, its default."""

import os
import sys

import reduced
from quixstreams import Application, State

app = Application(
    broker_address=os.environ["BROKER"],
    consumer_group=os.environ["GROUP"],
    auto_offset_reset="earliest",
    state_dir=sys.argv[1],
    loglevel="INFO",
    consumer_extra_config={"session.timeout.ms": 120_000, "max.poll.interval.ms": 600_000},
    producer_extra_config={"linger.ms": 20, "compression.type": "lz4"},
)
payments = app.topic("transactions", key_deserializer="bytes", value_deserializer="bytes")
alerts = app.topic("alerts", key_serializer="bytes", value_serializer="bytes")


def judge(value: bytes, state: State) -> bytes | None:
    """Judge one payment with what is known of its customer."""
    customer = reduced.decode(state.get_bytes("customer"))
    alert = reduced.judge(value, customer)
    state.set_bytes("customer", reduced.encode(customer))
    return alert


frame = app.dataframe(payments)
frame = frame.apply(judge, stateful=True)
frame = frame.filter(lambda alert: alert is not None)
frame.to_topic(alerts)

if __name__ == "__main__":
    app.run()
