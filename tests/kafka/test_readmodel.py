"""The read model in a real Redis: written after the commit, never backwards, rebuilt when it was lost."""

import subprocess
import time
from pathlib import Path

import msgspec
from redis import Redis

from load_tests.services.kafka import Kafka
from load_tests.services.run import free_ports
from load_tests.services.wait import until
from schemas.entitlement import Entitlement, Usage
from schemas.timestamps import format_ms
from tests.kafka.house import Worker, await_records, payment, prepare, publish, publish_payments

usage = msgspec.json.Decoder(Usage).decode
entitlement = msgspec.json.Decoder(Entitlement).decode


def freeze(customer: str, event_id: str) -> tuple[str, bytes]:
    event = {
        "event_type": "account.frozen",
        "event_id": event_id,
        "customer_id": customer,
        "occurred_at": format_ms(int(time.time() * 1000)),
        "actor": "desk",
    }
    return customer, msgspec.json.encode(event)


def shown(redis: Redis, customer: str) -> Entitlement | None:
    value = redis.hget(f"tierwatch:entitlement:{customer}", "entitlement")
    return entitlement(value) if isinstance(value, bytes) else None


def test_what_is_in_force_is_shown_and_rebuilt_when_redis_forgets(
    empty_kafka: Kafka, redis_url: str, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    with Redis.from_url(redis_url) as redis, Worker(tmp_path, empty_kafka.bootstrap, redis=redis_url) as worker:
        worker.ready()
        publish(empty_kafka, "customer-events", [freeze(f"c-{number}", f"e-{number}") for number in range(8)])
        customers = [f"c-{number}" for number in range(8)]
        until(lambda: all(shown(redis, customer) for customer in customers), "all of them in Redis")
        for customer in customers:
            found = shown(redis, customer)
            assert found is not None
            assert (found.customer_id, found.frozen, found.tier) == (customer, True, "base")
        redis.flushdb()
        until(lambda: all(shown(redis, customer) for customer in customers), "all of them again")
        assert worker.stop() == 0


def test_what_is_used_of_each_limit_follows_the_payments(empty_kafka: Kafka, redis_url: str, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Redis.from_url(redis_url) as redis, Worker(tmp_path, empty_kafka.bootstrap, redis=redis_url) as worker:
        worker.ready()
        publish_payments(empty_kafka, [payment(number, "c-used") for number in range(3)])

        def counted() -> int:
            value = redis.hget("tierwatch:entitlement:c-used", "usage")
            return usage(value).used["count_24h"].used if isinstance(value, bytes) else 0

        until(lambda: counted() == 3, "three payments")
        publish_payments(empty_kafka, [payment(3, "c-used")])
        until(lambda: counted() == 4, "the fourth")
        assert worker.metric("tierwatch_limit_used_ratio_count", tier="base") >= 2
        assert worker.stop() == 0


def test_detection_goes_on_without_redis_and_the_metric_says_so(
    empty_kafka: Kafka, redis_url: str, tmp_path: Path
) -> None:
    assert redis_url  # the run's Redis is for others; this one comes and goes
    prepare(empty_kafka)
    (port,) = free_ports(1)
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with Worker(tmp_path, empty_kafka.bootstrap, redis=f"redis://127.0.0.1:{port}/0") as worker:
        worker.ready()
        publish(empty_kafka, "customer-events", [freeze("c-1", "e-1")])
        publish_payments(empty_kafka, [payment(1, "c-1")])
        await_records(empty_kafka.bootstrap, "decisions", 1)
        until(lambda: worker.metric("tierwatch_redis_up") == 0, "the metric to say that Redis is down")
        assert "TIERWATCH_REDIS" in worker.said("Redis does not answer.*").group()
        service = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until(lambda: worker.metric("tierwatch_redis_up") == 1, "Redis to be written again", seconds=60)
            with Redis(port=port) as redis:
                assert until(lambda: shown(redis, "c-1"), "what was missed").frozen
            assert worker.stop() == 0
        finally:
            service.terminate()
            service.wait()
