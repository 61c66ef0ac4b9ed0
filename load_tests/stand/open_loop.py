"""`python -m load_tests.stand.open_loop BROKER KIND [RATE SECONDS [TOPIC]]`: publishes at a rate, whatever happens.

Without a rate it publishes one payment of each customer, as fast as Kafka takes them: whoever is measured afterwards
knows them. The last ones raise alarms, by which one sees that all have been judged.

At a rate, each record carries the moment at which it was due, not the one at which it could be sent: if we are held
up, that is latency too. A process of its own, so that it disturbs neither the reader nor the worker's interpreter.
"""

import sys
import time
from functools import partial
from random import Random

from confluent_kafka import Producer

from schemas.timestamps import format_ms

CUSTOMERS = 100_000
INTRODUCED_WITH_ALARM = 100
# So many in a thousand break the per-transaction limit of every tier, and make an alert.
_ALARMING = 10
_ALARMING_AMOUNT = 900_000_000
_STEP_S = 0.002
_KINDS = {
    "whole": (
        '{{"transaction_id":"due-{due:x}-{number}","source":"card-network","customer_id":"{customer}",'
        '"occurred_at":"{time}","amount":{amount},"currency":"USD","transaction_type":"purchase",'
        '"card_token":"card-{customer}","merchant_id":"m{shop}","mcc":"5411","terminal_id":"t{shop}","country":"US"}}'
    ),
    "reduced": (
        '{{"transaction_id":"due-{due:x}-{number}","customer_id":"{customer}","currency":"USD","merchant_id":"m{shop}",'
        '"payee_id":"p{shop}","device_id":"d{device}","country":"US","mcc":"5411","channel":"app","kind":"transfer",'
        '"amount":{amount},"event_time":{at_ms}}}'
    ),
}


def introduce(broker: str, kind: str) -> None:
    """Publish one payment of each customer; return when Kafka has them all."""
    load = _Load(broker, kind, "transactions")
    for number in range(CUSTOMERS):
        now_us = time.time_ns() // 1_000
        load.publish(number, number, now_us, now_us, alarming=number >= CUSTOMERS - INTRODUCED_WITH_ALARM)
    load.flush()


def publish(broker: str, kind: str, rate: float, seconds: float, topic: str) -> None:
    """Publish `rate` records a second for so long; return when Kafka has them all."""
    load, rng = _Load(broker, kind, topic), Random(2)
    begun_us = time.time_ns() // 1_000
    count, total = 0, int(rate * seconds)
    while count < total:
        now_us = time.time_ns() // 1_000
        due_count = min(total, int((now_us - begun_us) * rate / 1e6) + 1)
        while count < due_count:
            due_us = begun_us + int(count * 1e6 / rate)
            load.publish(count, rng.randrange(CUSTOMERS), due_us, now_us, alarming=rng.randrange(1_000) < _ALARMING)
            count += 1
        load.poll()
        time.sleep(_STEP_S)
    load.flush()


class _Load:
    def __init__(self, broker: str, kind: str, topic: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,  # as Kafka's own clients have it since 4.0
                "queue.buffering.max.messages": 2_000_000,
                "log_level": 0,
            }
        )
        self._template, self._topic, self._rng = _KINDS[kind], topic, Random(1)
        self.poll, self.flush = partial(self._producer.poll, 0), self._producer.flush

    def publish(self, number: int, customer: int, due_us: int, now_us: int, *, alarming: bool) -> None:
        rng, key = self._rng, f"c{customer}"
        value = self._template.format(
            due=due_us,
            number=number,
            customer=key,
            time=format_ms(now_us // 1_000),
            at_ms=now_us // 1_000,
            amount=_ALARMING_AMOUNT if alarming else rng.randrange(100, 20_000),
            shop=rng.randrange(1_000),
            device=rng.randrange(5),
        )
        self._producer.produce(self._topic, value.encode(), key.encode())


if __name__ == "__main__":
    _, _broker, _kind, *_rest = sys.argv
    if _rest:
        publish(_broker, _kind, float(_rest[0]), float(_rest[1]), *(_rest[2:] or ["transactions"]))
    else:
        introduce(_broker, _kind)
