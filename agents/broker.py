"""The first contact with Kafka: is it there, does it let us in, and what to do when it does not."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata

from agents.exit_codes import Exit
from agents.log import Log
from agents.settings import Settings

log = Log("broker")

ANSWER_S = 5.0
LONGEST_PAUSE_S = 15.0
# What librdkafka's mock cluster calls itself.
EMBEDDED_ID = "mockCluster"
# Errors that a broker which starts later does not mend.
_REFUSED = {KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED}  # noqa: SLF001


class BrokerError(Exception):
    """Kafka cannot be used; the text is one line that names the broker, the variable and what to do."""

    exit_code = Exit.NO_BROKER


class CredentialsError(BrokerError):
    """Kafka answered and said no."""

    exit_code = Exit.CREDENTIALS


class Broker:
    """A connection for questions and orders about topics."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._errors: list[KafkaError] = []
        silent = logging.getLogger("tierwatch.librdkafka")
        silent.setLevel(logging.CRITICAL)  # it repeats itself ten times a second; our one line says it
        options: dict[str, Any] = {**settings.librdkafka(), "client.id": "tierwatch"}
        options |= {"logger": silent, "error_cb": self._errors.append}
        try:
            self.admin = AdminClient(options)
        except KafkaException as error:
            raise CredentialsError(
                f"Kafka's settings cannot be used: {error.args[0].str()} (look at TIERWATCH_SSL_… and TIERWATCH_SASL_…)"
            ) from None

    def metadata(self, seconds: float = ANSWER_S) -> ClusterMetadata:
        """Return what the cluster says of its topics.

        Raises:
            CredentialsError: it does not let us in.
            BrokerError: it does not answer.

        """
        self._errors.clear()
        end = time.monotonic() + seconds
        while True:
            try:
                # Asked in short turns: a refusal is known at once, and list_topics would wait its time out.
                return self.admin.list_topics(timeout=min(1.0, seconds))
            except KafkaException as error:
                self.admin.poll(0)
                self._refused()
                if time.monotonic() >= end:
                    raise BrokerError(self._silence(error.args[0])) from None

    def _refused(self) -> None:
        for error in self._errors:
            if error.code() in _REFUSED or "SSL handshake failed" in error.str():
                hint = (
                    "TIERWATCH_SASL_USERNAME and TIERWATCH_SASL_PASSWORD" if self._settings.sasl else "TIERWATCH_SSL_…"
                )
                raise CredentialsError(
                    f"Kafka at {self._settings.broker} refuses these credentials: {_short(error)}. "
                    f"Correct {hint} (TIERWATCH_SECURITY_PROTOCOL is {self._settings.protocol})."
                )

    def _silence(self, last: KafkaError) -> str:
        told = next((error for error in self._errors if error.code() != KafkaError._ALL_BROKERS_DOWN), last)  # noqa: SLF001
        return (
            f"no Kafka answers at {self._settings.broker}: {_short(told)}. "
            "Start it, or set TIERWATCH_BROKER to where it is (host:port)."
        )

    def embedded(self) -> bool:
        """Whether this is the embedded broker, which knows no configuration."""
        return str(self.metadata().cluster_id).startswith(EMBEDDED_ID)


def _short(error: KafkaError) -> str:
    text: str = error.str()
    return text.partition(": ")[2].partition(" (after")[0].rstrip(". ") or text


async def reach(settings: Settings, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Broker:
    """Return when Kafka answers, however long that takes, with one line for each attempt in vain.

    Raises:
        CredentialsError: it answers and says no; trying again does not help.

    """
    broker = Broker(settings)
    pause = 0.5
    while True:
        try:
            await asyncio.to_thread(broker.metadata)
        except CredentialsError:
            raise
        except BrokerError as error:
            log.warning(str(error), next_attempt_s=pause)
            await sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        else:
            return broker
