"""docs/connect.md on a broker that speaks TLS, asks for a password, and allows what the page names and nothing else."""

import ipaddress
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agents.exit_codes import Exit
from load_tests.services import kafka as kafka_service
from load_tests.services.kafka import Kafka
from load_tests.services.need import UnavailableError
from load_tests.services.run import Run, free_ports
from load_tests.services.wait import until
from schemas.topics import TOPICS
from tests.kafka.house import await_records, payment, publish_payments
from tests.readme import CONNECT, block, environment, shell
from tests.services.fixtures import missing

TEXT = block(CONNECT, "sh", "SASL_SSL").text
USER, PASSWORD = (re.findall(rf"SASL_{what}=(\S+)", TEXT)[0] for what in ("USERNAME", "PASSWORD"))
ADDRESS, CA_FILE = re.findall(r"BROKER=(\S+)", TEXT)[0], re.findall(r"CA_FILE=(\S+)", TEXT)[0]


class Secure(NamedTuple):
    """A broker for users with a password, and its back door for the test."""

    address: str
    ca_file: Path
    back_door: Kafka


@pytest.fixture(scope="module")
def secure(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Secure:
    folder = tmp_path_factory.mktemp("secure")
    try:
        base = [kafka_service.java(), "-cp", f"{kafka_service.jars()}/*"]
    except UnavailableError as error:
        missing(error)
    ca_file, keystore = _certificate(folder)
    plain, secured, controller = (f"127.0.0.1:{port}" for port in free_ports(3))
    lines = kafka_service.PROPERTIES.read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#")) | {
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{plain},SASL_SSL://{secured},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{plain},SASL_SSL://{secured}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    properties = folder / "server.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    formatted = ["kafka.tools.StorageTool", "format", "--cluster-id", "c2VjdXJlLWZvci10ZXN0cw", "--add-scram", scram]
    subprocess.run([*base, *formatted, "--config", properties], check=True, capture_output=True, timeout=120)
    back_door = Kafka(bootstrap=plain, sasl_bootstrap=secured)

    def answers() -> bool:
        return bool(AdminClient({"bootstrap.servers": plain, "log_level": 0}).list_topics(timeout=5).brokers)

    def ready() -> bool:
        try:
            return answers()
        except Exception:  # noqa: BLE001 - not yet, whatever it says
            return False

    run.spawn(folder, [*base, "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", str(properties)], ready, seconds=120)
    _allow(back_door)
    return Secure(secured, ca_file, back_door)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make the broker's certificate, signed by itself; return what clients trust, and what the broker holds."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka.bank.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(pem)
    (folder / "broker.pem").write_bytes(private + pem)
    return folder / "ca.pem", folder / "broker.pem"


def _allow(kafka: Kafka) -> None:
    """Allow what the page's table names."""
    topic = [
        AclOperation.READ,
        AclOperation.WRITE,
        AclOperation.DESCRIBE,
        AclOperation.DESCRIBE_CONFIGS,
        AclOperation.CREATE,
    ]
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    wanted = [
        *((ResourceType.TOPIC, name, literal, topic) for name in TOPICS),
        (ResourceType.TOPIC, "tierwatch-", prefixed, topic),
        (ResourceType.GROUP, "tierwatch", literal, [AclOperation.READ]),
        (ResourceType.TRANSACTIONAL_ID, "tierwatch-", prefixed, [AclOperation.WRITE, AclOperation.DESCRIBE]),
    ]
    acls = [
        AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)
        for kind, name, pattern, operations in wanted
        for operation in operations
    ]
    for done in kafka.admin.create_acls(acls).values():
        done.result()


@pytest.fixture
def log(secure: Secure, tmp_path: Path) -> Iterator[Path]:
    """The log of what the page's block starts."""
    text = TEXT.replace(ADDRESS, secure.address).replace(CA_FILE, str(secure.ca_file))
    log = tmp_path / "log"
    ours = environment(TIERWATCH_METRICS_PORT="0", TIERWATCH_METRICS_HOST="127.0.0.1")
    with log.open("wb") as output:
        session = subprocess.Popen(
            shell(text), env=ours, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        until(lambda: "worker ready" in log.read_text() or session.poll() is not None, "the page's worker", seconds=60)
        assert session.poll() is None, log.read_text()
        yield log
    finally:
        if session.poll() is None:
            os.killpg(session.pid, signal.SIGTERM)
        session.wait(60)
    until(lambda: "worker stopped" in log.read_text(), "the worker's end")


def test_the_page_leads_to_a_worker_that_judges(secure: Secure, log: Path) -> None:
    publish_payments(secure.back_door, [payment(1, "c-1")])
    (decision,) = await_records(secure.back_door.bootstrap, "decisions", 1)
    assert json.loads(decision.value() or b"")["outcome"] == "pass"
    assert PASSWORD not in log.read_text()


@pytest.mark.parametrize(
    "wrong, code",
    [((PASSWORD, "guessed"), Exit.CREDENTIALS), (("SCRAM-SHA-512", "SCRAM-SHA-256"), Exit.CREDENTIALS)],
    ids=["password", "mechanism"],
)
def test_the_broker_is_not_for_everybody(secure: Secure, wrong: tuple[str, str], code: Exit) -> None:
    text = TEXT.replace(ADDRESS, secure.address).replace(CA_FILE, str(secure.ca_file)).replace(*wrong)
    done = subprocess.run(shell(text), check=False, env=environment(), text=True, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert "TIERWATCH_SASL_" in done.stderr
