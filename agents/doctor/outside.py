"""What is beside Kafka: Redis, and the program itself."""

import platform
import time
from collections.abc import Iterator

import confluent_kafka
from redis import Redis
from redis.exceptions import RedisError

from agents.compiled import how_to, is_compiled
from agents.doctor.finding import Finding, ill, warning, well
from agents.engine.clock import FURTHEST_MS
from agents.settings import Settings

_ANSWER_S = 5.0


def program() -> Iterator[Finding]:
    """Say what this is."""
    library, _ = confluent_kafka.libversion()
    made_of = f"Python {platform.python_version()}, librdkafka {library}"
    if is_compiled():
        yield well("program", f"{made_of}, the pipeline compiled")
    else:
        do = f"Three times as fast when compiled: {how_to()}"
        yield warning("program", f"{made_of}, the pipeline in pure Python", do)


def redis(settings: Settings) -> Iterator[Finding]:
    """See whether the read model can be reached."""
    if not settings.redis:
        yield well("redis", "none is wanted: TIERWATCH_REDIS is empty")
        return
    try:
        with Redis.from_url(settings.redis, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S) as client:
            began = time.monotonic()
            client.ping()
            took_s = time.monotonic() - began
            theirs_s, micros = client.time()
            ahead_s = time.time() - theirs_s - micros / 1e6
    except (RedisError, OSError) as error:
        do = "Start it, or correct TIERWATCH_REDIS. Detection goes on: dashboards/runbooks/TierwatchRedisAway.md"
        yield ill("redis", f"does not answer: {error}", do)
    else:
        yield well("redis", f"answers within {took_s * 1000:.0f} ms")
        # Kafka tells its time only where it stamps records: that a machine is ahead shows beside another one's clock.
        if abs(ahead_s) * 1000 > FURTHEST_MS:
            says = f"this machine is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Redis"
            do = "Set the one that is wrong, with NTP: dashboards/runbooks/TierwatchClockOff.md"
            yield warning("clock", says, do)
