# mypy: ignore-errors
"""The reduced rules as stock Faust's documentation has such a program: an agent, a table, and `topic.send`."""

import os

import faust
import reduced
from faust.serializers import codecs


class CustomerCodec(codecs.Codec):
    """A customer stays live in the table; bytes are made for the changelog only."""

    def _dumps(self, obj: reduced.Customer) -> bytes:
        return reduced.encode(obj)

    def _loads(self, s: bytes) -> reduced.Customer:
        return reduced.decode(s)


codecs.register("customer", CustomerCodec())
app = faust.App(
    os.environ["GROUP"],
    broker="kafka://" + os.environ["BROKER"],
    store="memory://",
    key_serializer="raw",
    value_serializer="raw",
    topic_partitions=int(os.environ["PARTITIONS"]),
    broker_session_timeout=120.0,
    broker_heartbeat_interval=30.0,
    broker_request_timeout=180.0,
    broker_max_poll_records=2_000,
    # What its documentation names for throughput.
    stream_buffer_maxsize=16_384,
    stream_wait_empty=False,
    producer_linger=0.02,
    web_enabled=False,
)
payments = app.topic("transactions", key_type=bytes, value_type=bytes)
alerts = app.topic("alerts", key_type=bytes, value_type=bytes)
customers = app.Table("customers", key_type=bytes, value_type=bytes)
customers.value_serializer = "customer"  # a table has no parameter for it


@app.agent(payments)
async def judge(stream: faust.Stream) -> None:
    """Judge payment by payment."""
    async for key, value in stream.items():
        customer = customers.get(key)
        if customer is None:
            customer = reduced.Customer()
        alert = reduced.judge(value, customer)
        customers[key] = customer
        if alert is not None:
            await alerts.send(key=key, value=alert)


if __name__ == "__main__":
    app.main()
