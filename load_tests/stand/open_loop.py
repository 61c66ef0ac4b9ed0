"""`python -m load_tests.stand.open_loop BROKER KIND RATE SECONDS [TOPIC]`: publishes at a rate, whatever happens.

Each record carries the moment at which it was due, not the one at which it could be sent: if we are held up, that is
latency too. A process of its own, so that it disturbs neither the reader nor the worker's interpreter.
"""

import sys
import time
from random import Random

from confluent_kafka import Producer

from schemas.timestamps import format_ms

CUSTOMERS = 200_000
# So many in a thousand break the per-transaction limit of every tier, and make an alert.
_ALARMING = 50
_STEP_S = 0.002
_KINDS = {
    "whole": (
        '{{"transaction_id":"{due}-{number}","source":"card-network","customer_id":"{customer}",'
        '"occurred_at":"{time}","amount":{amount},"currency":"USD","transaction_type":"purchase",'
        '"card_token":"card-{customer}","merchant_id":"m{shop}","mcc":"5411","terminal_id":"t{shop}","country":"US"}}'
    ),
    "reduced": (
        '{{"transaction_id":"{due}-{number}","customer_id":"{customer}","currency":"USD","merchant_id":"m{shop}",'
        '"payee_id":"p{shop}","device_id":"d{device}","country":"US","mcc":"5411","channel":"app","kind":"transfer",'
        '"amount":{amount},"event_time":{at_ms}}}'
    ),
}


def publish(broker: str, kind: str, rate: float, seconds: float, topic: str) -> None:
    """Publish `rate` records a second for so long; return when Kafka has them all."""
    producer = Producer(
        {
            "bootstrap.servers": broker,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 1,
            "queue.buffering.max.messages": 2_000_000,
            "log_level": 0,
        }
    )
    template, rng = _KINDS[kind], Random(1)
    begun_us = time.time_ns() // 1_000
    count, total = 0, int(rate * seconds)
    while count < total:
        now_us = time.time_ns() // 1_000
        now = format_ms(now_us // 1_000)
        due_count = min(total, int((now_us - begun_us) * rate / 1e6) + 1)
        while count < due_count:
            customer = f"c{rng.randrange(CUSTOMERS)}"
            value = template.format(
                due=begun_us + int(count * 1e6 / rate),
                number=count,
                customer=customer,
                time=now,
                at_ms=now_us // 1_000,
                amount=900_000_000 if rng.randrange(1_000) < _ALARMING else rng.randrange(100, 20_000),
                shop=rng.randrange(1_000),
                device=rng.randrange(5),
            )
            producer.produce(topic, value.encode(), customer.encode())
            count += 1
        producer.poll(0)
        time.sleep(_STEP_S)
    producer.flush()


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), *(sys.argv[5:] or ["transactions"]))
