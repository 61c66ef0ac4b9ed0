"""What is beside Kafka: Redis, certificates, and the program itself."""

import platform
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import confluent_kafka
from cryptography import x509
from redis import Redis
from redis.exceptions import RedisError

from agents.compiled import how_to, is_compiled
from agents.doctor.finding import Finding, ill, warning, well
from agents.engine.clock import FURTHEST_MS
from agents.settings import Settings

_ANSWER_S = 5.0
SOON_DAYS = 30
_SECONDS_A_DAY = 86_400


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


def certificates(settings: Settings) -> Iterator[Finding]:
    """See how long our own certificate and the brokers' hold."""
    if not settings.tls:
        yield well("certificates", f"none: TIERWATCH_SECURITY_PROTOCOL is {settings.protocol}")
        return
    if settings.cert_file:
        yield _held("our own", _expiry(settings.cert_file), "Renew it and name it in TIERWATCH_SSL_CERT_FILE.")
    context = settings.ssl_context()
    for address in settings.broker.split(","):
        host, _, port = address.rpartition(":")
        try:
            with (
                socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S) as raw,
                context.wrap_socket(raw, server_hostname=host.strip("[]")) as secured,  # type: ignore[union-attr]
            ):
                told = secured.getpeercert() or {}
        except (OSError, ssl.SSLError) as error:
            yield ill(
                "certificates", f"{address}: {error}", "Look at the broker's certificate and TIERWATCH_SSL_CA_FILE."
            )
        else:
            expiry = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)
            yield _held(f"{address}'s", expiry, "Ask the owners of Kafka to renew it.")


def _expiry(file: Path) -> datetime:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc


def _held(whose: str, expiry: datetime, do: str) -> Finding:
    days = (expiry - datetime.now(UTC)).total_seconds() / _SECONDS_A_DAY
    if days < 0:
        return ill("certificates", f"{whose} ended {-days:.0f} days ago", do)
    if days < SOON_DAYS:
        return warning("certificates", f"{whose} ends in {days:.0f} days", do)
    return well("certificates", f"{whose} holds for {days:.0f} days")
