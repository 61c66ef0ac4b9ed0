"""How long certificates hold: our own, and those of whom we talk to."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from socket import create_connection
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from urllib.request import getproxies, proxy_bypass

from cryptography import x509

from agents.doctor.finding import Finding, ill, warning, well
from agents.settings import Settings

_ANSWER_S = 5.0
SOON_DAYS = 30
_SECONDS_A_DAY = 86_400
_REDIS_PORT, _HTTPS_PORT = 6379, 443


class _Peer(NamedTuple):
    """Somebody who shows a certificate: who they are to us, where, whom we trust, and what to do when it is ill."""

    host: str
    port: int
    context: ssl.SSLContext
    do: str

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


def certificates(settings: Settings) -> Iterator[Finding]:
    """See how long each holds: a connection that is not encrypted has none."""
    if settings.cert_file and settings.tls:
        yield _held(
            "our own", _expiry(settings.cert_file.read_bytes()), "Renew it and name it in TIERWATCH_SSL_CERT_FILE."
        )
    peers = [*_brokers(settings), *_redis(settings), *_receivers(settings)]
    if not peers:
        yield well("certificates", f"none: TIERWATCH_SECURITY_PROTOCOL is {settings.protocol}, and nobody else has one")
    for peer in peers:
        try:
            with (
                create_connection((peer.host, peer.port), _ANSWER_S) as raw,
                peer.context.wrap_socket(raw, server_hostname=peer.host) as secured,
            ):
                told = secured.getpeercert(binary_form=True) or b""
        except OSError as error:  # ssl.SSLError is one
            yield ill("certificates", f"{peer.name}: {error}", peer.do)
        else:
            yield _held(f"{peer.name}'s", x509.load_der_x509_certificate(told).not_valid_after_utc, peer.do)


def _brokers(settings: Settings) -> Iterator[_Peer]:
    context = settings.ssl_context()
    if context is not None:
        for address in settings.broker.split(","):
            host, _, port = address.rpartition(":")
            do = "Look at TIERWATCH_SSL_CA_FILE; if that is right, ask the owners of Kafka to renew it."
            yield _Peer(host.strip("[]"), int(port), context, do)


def _redis(settings: Settings) -> Iterator[_Peer]:
    where = urlsplit(settings.redis)
    if where.scheme == "rediss":
        # What redis-py takes from an address.
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        context = ssl.create_default_context(cafile=asked.get("ssl_ca_certs"))
        if asked.get("ssl_cert_reqs") == "none":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        do = "Renew it, or correct ssl_ca_certs in TIERWATCH_REDIS. Detection goes on without Redis."
        yield _Peer(where.hostname or "localhost", where.port or _REDIS_PORT, context, do)


def _receivers(settings: Settings) -> Iterator[_Peer]:
    named = {
        "TIERWATCH_ALERTMANAGER": settings.alertmanager,
        "TIERWATCH_PAGERDUTY": settings.pagerduty if settings.pagerduty_key else "",
        "TIERWATCH_WEBHOOK": settings.webhook,
    }
    for setting, addresses in named.items():
        for where in map(urlsplit, filter(None, addresses.split(","))):
            host = where.hostname or ""
            # Behind a proxy nobody but the proxy could be asked.
            if where.scheme == "https" and (proxy_bypass(host) or "https" not in getproxies()):
                do = f"Nobody is paged through it: ask its owners to renew it, or correct {setting}."
                yield _Peer(host, where.port or _HTTPS_PORT, ssl.create_default_context(), do)


def _expiry(pem: bytes) -> datetime:
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def _held(whose: str, expiry: datetime, do: str) -> Finding:
    days = (expiry - datetime.now(UTC)).total_seconds() / _SECONDS_A_DAY
    if days < 0:
        return ill("certificates", f"{whose} ended {-days:.0f} days ago", do)
    if days < SOON_DAYS:
        return warning("certificates", f"{whose} ends in {days:.0f} days", do)
    return well("certificates", f"{whose} holds for {days:.0f} days")
