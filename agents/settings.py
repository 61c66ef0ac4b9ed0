"""The worker's settings: read from the environment here and nowhere else, checked at once, secrets never shown."""

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from agents.setting_values import to_brokers, to_choice, to_file, to_http, to_number, to_redis, to_seconds

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
FORMATS = ("TEXT", "JSON")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
DEFAULT_POLICY = Path(__file__).parents[1] / "pipeline" / "policy" / "default.yaml"
LARGEST_PORT = 65_535
_PREFIX = "TIERWATCH_"
# What the build and docker-compose.yml read, and a test that takes as long as it is told to.
_OF_OTHERS = frozenset(
    {"TIERWATCH_COMPILE", "TIERWATCH_COMPILE_LEVEL", "TIERWATCH_POLICY_FILE", "TIERWATCH_TEST_PAYMENTS"}
)
# So alike (0 to 1) that one was meant for the other: a letter or two.
_NEAR = 0.8


class SettingsError(Exception):
    """Every wrong value at once: one problem a line, each naming its variable and what it should be."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the environment cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = tuple(problems)


def _from(variable: str, meaning: str, read: Callable[[str], object] = str) -> dict[str, object]:
    """Say of a field where it comes from; docs/operate.md shows the meaning."""
    return {"variable": variable, "meaning": meaning, "read": read}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a worker needs to know about its surroundings. The policy says everything about detection."""

    broker: str = field(
        default="localhost:9092",
        metadata=_from("TIERWATCH_BROKER", "Kafka: `host:port`, several with commas between", to_brokers),
    )
    redis: str = field(
        default="",
        repr=False,
        metadata=_from("TIERWATCH_REDIS", "Redis: `redis://host:6379/0`; empty: no read model", to_redis),
    )
    alertmanager: str = field(
        default="",
        metadata=_from(
            "TIERWATCH_ALERTMANAGER",
            "Alertmanager: `http://host:9093`, or several with commas between: all are told; for `tierwatch pager`",
            to_http,
        ),
    )
    pagerduty: str = field(
        default="https://events.pagerduty.com",
        metadata=_from("TIERWATCH_PAGERDUTY", "PagerDuty's Events API; the next is tried when one is dead", to_http),
    )
    pagerduty_key: str = field(
        default="",
        repr=False,
        metadata=_from("TIERWATCH_PAGERDUTY_KEY", "routing key of its service; empty: nobody is paged there directly"),
    )
    pagerduty_secret: str = field(
        default="",
        repr=False,
        metadata=_from(
            "TIERWATCH_PAGERDUTY_SECRET",
            "what its webhook (v3) signs answers with, posted to `/pagerduty` at the pager; empty: none are taken",
        ),
    )
    webhook: str = field(
        default="", metadata=_from("TIERWATCH_WEBHOOK", "where cases are posted, signed; empty: nowhere", to_http)
    )
    webhook_key: str = field(
        default="", repr=False, metadata=_from("TIERWATCH_WEBHOOK_KEY", "what those posts are signed with")
    )
    grafana: str = field(
        default="",
        metadata=_from(
            "TIERWATCH_GRAFANA", "where people open Grafana, for the links in pages; empty: pages have none", to_http
        ),
    )
    pages_per_minute: int = field(
        default=20,
        metadata=_from(
            "TIERWATCH_PAGES_PER_MINUTE", "cases paged one by one; those beyond share a page", to_number(1, 1_000)
        ),
    )
    policy: Path = field(
        default=DEFAULT_POLICY,
        metadata=_from("TIERWATCH_POLICY", "the first policy's file; default: the packaged one", to_file),
    )
    signing_key: Path | None = field(
        default=None,
        metadata=_from("TIERWATCH_SIGNING_KEY", "your private key, a PEM file: for commands that sign", to_file),
    )
    hash_key: str = field(
        default="",
        repr=False,
        metadata=_from("TIERWATCH_HASH_KEY", "key of the hashes that `ingest` puts in place of card numbers"),
    )
    metrics_host: str = field(
        default="0.0.0.0",  # noqa: S104 - Prometheus scrapes from outside
        metadata=_from("TIERWATCH_METRICS_HOST", "address that `/metrics` listens on"),
    )
    metrics_port: int = field(
        default=9464,
        metadata=_from(
            "TIERWATCH_METRICS_PORT", "its port; 0: any free one, which is logged", to_number(0, LARGEST_PORT)
        ),
    )
    partitions: int = field(
        default=4,
        metadata=_from(
            "TIERWATCH_PARTITIONS", "partitions that `topics create` gives topics by customer", to_number(1, 10_000)
        ),
    )
    replication: int = field(
        default=0,
        metadata=_from("TIERWATCH_REPLICATION", "copies that it asks for; 0: the broker's default", to_number(0, 100)),
    )
    cached_customers: int = field(
        default=20_000,
        metadata=_from("TIERWATCH_CACHED_CUSTOMERS", "customers of a partition kept decoded", to_number(1, 10**8)),
    )
    standby_replicas: int = field(
        default=0,
        metadata=_from(
            "TIERWATCH_STANDBY_REPLICAS", "other workers that keep a copy of each partition's state", to_number(0, 10)
        ),
    )
    linger: float = field(
        default=0.0,
        metadata=_from("TIERWATCH_LINGER", "least seconds between two commits of a partition", to_seconds(0, 5)),
    )
    session_timeout: float = field(
        default=10.0,
        metadata=_from(
            "TIERWATCH_SESSION_TIMEOUT",
            "seconds after which a silent worker's partitions pass on",
            to_seconds(6, 300),
        ),
    )
    log_level: str = field(
        default="INFO", metadata=_from("TIERWATCH_LOG_LEVEL", "least important lines logged", to_choice(*LEVELS))
    )
    log_format: str = field(
        default="TEXT",
        metadata=_from("TIERWATCH_LOG_FORMAT", "how each line is written: TEXT, JSON", to_choice(*FORMATS)),
    )
    protocol: str = field(
        default="PLAINTEXT", metadata=_from("TIERWATCH_SECURITY_PROTOCOL", ", ".join(PROTOCOLS), to_choice(*PROTOCOLS))
    )
    ca_file: Path | None = field(
        default=None, metadata=_from("TIERWATCH_SSL_CA_FILE", "certificates to trust; default: the system's", to_file)
    )
    cert_file: Path | None = field(
        default=None, metadata=_from("TIERWATCH_SSL_CERT_FILE", "the worker's own certificate", to_file)
    )
    key_file: Path | None = field(
        default=None, metadata=_from("TIERWATCH_SSL_KEY_FILE", "the key of that certificate", to_file)
    )
    key_password: str = field(
        default="", repr=False, metadata=_from("TIERWATCH_SSL_KEY_PASSWORD", "the password of that key")
    )
    mechanism: str = field(
        default="PLAIN", metadata=_from("TIERWATCH_SASL_MECHANISM", ", ".join(MECHANISMS), to_choice(*MECHANISMS))
    )
    username: str = field(default="", metadata=_from("TIERWATCH_SASL_USERNAME", "the name, with SASL"))
    password: str = field(default="", repr=False, metadata=_from("TIERWATCH_SASL_PASSWORD", "the password, with SASL"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `environment`, by default the process's; an empty value counts as absent.

        Raises:
            SettingsError: with everything that is wrong, not only the first.

        """
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        problems: list[str] = []
        for each in fields(cls):
            variable = each.metadata["variable"]
            text = given.get(variable, "").strip()
            if not text:
                continue
            try:
                values[each.name] = each.metadata["read"](text)
            except ValueError as error:
                problems.append(f"{variable} {error}")
        problems += cls._misspelt(given)
        settings = cls(**values)
        problems += settings._contradictions(given)
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def unknown(cls, environment: Mapping[str, str] | None = None) -> list[str]:
        """Return the variables that look like ours and are not; Kubernetes, for one, makes some of a service's name."""
        known = {each.metadata["variable"] for each in fields(cls)} | _OF_OTHERS
        given = os.environ if environment is None else environment
        return sorted(name for name in given if name.startswith(_PREFIX) and name not in known)

    @classmethod
    def _misspelt(cls, given: Mapping[str, str]) -> list[str]:
        known = {each.metadata["variable"].removeprefix(_PREFIX) for each in fields(cls)}
        nearest = {
            name: get_close_matches(name.removeprefix(_PREFIX), known, n=1, cutoff=_NEAR) for name in cls.unknown(given)
        }
        return [f"{name} is no setting: {_PREFIX}{meant[0]} is" for name, meant in nearest.items() if meant]

    def _contradictions(self, given: Mapping[str, str]) -> list[str]:
        problems = []
        if self.sasl and not (self.username and self.password):
            problems.append(
                f"TIERWATCH_SECURITY_PROTOCOL={self.protocol} needs TIERWATCH_SASL_USERNAME and TIERWATCH_SASL_PASSWORD"
            )
        if not self.sasl and given.get("TIERWATCH_SASL_USERNAME"):
            problems.append("TIERWATCH_SASL_USERNAME needs TIERWATCH_SECURITY_PROTOCOL=SASL_SSL (or SASL_PLAINTEXT)")
        if not self.tls and (self.ca_file or self.cert_file):
            problems.append("TIERWATCH_SSL_… needs TIERWATCH_SECURITY_PROTOCOL=SSL or SASL_SSL")
        if bool(self.webhook) != bool(self.webhook_key):
            problems.append(
                "TIERWATCH_WEBHOOK and TIERWATCH_WEBHOOK_KEY come together: what is not signed is not believed"
            )
        if bool(self.cert_file) != bool(self.key_file):
            problems.append("TIERWATCH_SSL_CERT_FILE and TIERWATCH_SSL_KEY_FILE come together")
        return problems

    @property
    def sasl(self) -> bool:
        """Whether the broker asks for a name and a password."""
        return self.protocol.startswith("SASL")

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what Python's clients need for TLS; None without TLS.

        Raises:
            OSError: the files are no certificates or keys; `ssl.SSLError` is one of these.

        """
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file, self.key_password or None)
        return context

    def aiokafka(self) -> dict[str, Any]:
        """Return the address and the credentials as aiokafka's clients take them."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.broker.split(","),
            "security_protocol": self.protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.sasl:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def librdkafka(self) -> dict[str, str]:
        """Return the address and the credentials as confluent-kafka's clients take them."""
        options = {"bootstrap.servers": self.broker, "security.protocol": self.protocol}
        if self.tls:
            options |= {
                name: str(value)
                for name, value in (
                    ("ssl.ca.location", self.ca_file),
                    ("ssl.certificate.location", self.cert_file),
                    ("ssl.key.location", self.key_file),
                    ("ssl.key.password", self.key_password),
                )
                if value
            }
        if self.sasl:
            options |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.username,
                "sasl.password": self.password,
            }
        return options
