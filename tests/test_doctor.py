"""What the doctor tells of what is beside Kafka: how long certificates hold, and whether clocks agree."""

import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agents.doctor.certificates import certificates
from agents.doctor.outside import redis
from agents.settings import Settings

# Whole days left are rounded, and the test takes some of the last one.
MINUTES = timedelta(minutes=10)


def certificate(folder: Path, name: str, ends_in: timedelta) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that signs itself; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + ends_in + MINUTES)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Somebody who shakes hands as a broker does: the address, and the certificate to trust."""
    trusted, key = certificate(tmp_path, "broker", timedelta(days=90))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, key)
    with ThreadingTCPServer(("127.0.0.1", 0), BaseRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", trusted
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "days, state, says",
    [
        (200, "well", "our own holds for 200 days"),
        (10, "warning", "our own ends in 10 days"),
        (-3, "ill", "our own ended 3 days ago"),
    ],
)
def test_how_long_certificates_hold(days: int, state: str, says: str, broker: tuple[str, Path], tmp_path: Path) -> None:
    address, trusted = broker
    own, key = certificate(tmp_path, "worker", timedelta(days=days))
    settings = Settings(broker=address, protocol="SSL", ca_file=trusted, cert_file=own, key_file=key)
    ours, theirs = certificates(settings)
    assert (ours.state, ours.says) == (state, says)
    assert (theirs.state, theirs.says) == ("well", f"{address}'s holds for 90 days")


def test_a_broker_that_nobody_vouches_for_is_ill(broker: tuple[str, Path], tmp_path: Path) -> None:
    other, _ = certificate(tmp_path, "other", timedelta(days=90))
    (finding,) = certificates(Settings(broker=broker[0], protocol="SSL", ca_file=other))
    assert finding.state == "ill"
    assert "TIERWATCH_SSL_CA_FILE" in finding.do


def test_redis_and_whoever_is_told_show_theirs(
    broker: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, trusted = broker
    at = f"https://{address}"
    told = Settings(
        redis=f"rediss://{address}/0?ssl_ca_certs={trusted}",
        alertmanager=f"http://127.0.0.1:9093,{at}",
        pagerduty=at,
        pagerduty_key="r-1",
        webhook=f"{at}/hook",
        webhook_key="w-1",
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert [each.says for each in certificates(told)] == [f"{address}'s holds for 90 days"] * 4
    other, _ = certificate(tmp_path, "other", timedelta(days=90))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    redis_s, *receivers = certificates(told)
    assert redis_s.state == "well"
    assert [each.state for each in receivers] == ["ill"] * 3
    assert [each.do.split()[-1] for each in receivers] == [
        "TIERWATCH_ALERTMANAGER.",
        "TIERWATCH_PAGERDUTY.",
        "TIERWATCH_WEBHOOK.",
    ]


@pytest.mark.parametrize(
    "ahead_s, says",
    [(0, None), (3_600, "this machine is 3600 s ahead of Redis"), (-90, "this machine is 90 s behind Redis")],
)
def test_a_clock_that_is_not_that_of_another_machine_is_told(
    ahead_s: float, says: str | None, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead_s)
    answers, *clock = redis(Settings(redis=redis_url))
    assert answers.state == "well"
    assert [(each.check, each.state, each.says) for each in clock] == ([("clock", "warning", says)] if says else [])
