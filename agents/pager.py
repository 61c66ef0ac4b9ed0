"""The pager: one reader of Kafka makes cases of alerts, another tells of them; either begins anew by itself."""

import threading
import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException

from agents.broker import BrokerError, CredentialsError
from agents.log import Log
from agents.paging.keeper import Keeper, check_topics
from agents.paging.measure import PagerMetrics
from agents.paging.receivers import Receiver
from agents.paging.teller import Teller
from agents.settings import Settings
from agents.topics import TopicsError
from pipeline.policy.incidents import Incidents
from pipeline.policy.model import Policy

log = Log("pager")

_SHORTEST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0


class Pager:
    """One process of both groups. Raises `BrokerError` where Kafka cannot be used at the start."""

    def __init__(self, settings: Settings, first: Policy, receivers: Sequence[Receiver]) -> None:
        """See that the topics are there."""
        check_topics(settings)
        self._settings = settings
        self._first = first
        self._receivers = receivers
        self._failure: Exception | None = None
        self._stopping = threading.Event()
        self.metrics = PagerMetrics(tuple(receiver.name for receiver in receivers))

    def run(self, told_to_stop: Callable[[], bool]) -> None:
        """Work until told to stop."""
        keeping = threading.Thread(target=self._patiently, args=("keeper", self._keep), name="keeper")
        telling = threading.Thread(target=self._patiently, args=("teller", self._tell), name="teller")
        for thread in (keeping, telling):
            thread.start()
        try:
            while not told_to_stop() and self._failure is None:
                time.sleep(0.1)
        finally:
            self._stopping.set()
            for thread in (keeping, telling):
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _keep(self) -> None:
        keeper = Keeper(self._settings, self._first, self.metrics)
        self.metrics.terms = keeper.terms
        keeper.run(self._stopping.is_set)

    def _tell(self) -> None:
        Teller(self._settings, self._receivers, self._incidents, self.metrics).run(self._stopping.is_set)

    def _incidents(self) -> Incidents:
        return self.metrics.terms() if self.metrics.terms else self._first.cases

    def _patiently(self, reader: str, work: Callable[[], None]) -> None:
        """Begin anew after each failure of Kafka: what was not committed was not done."""
        pause_s = _SHORTEST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                work()
            except (CredentialsError, TopicsError) as error:  # no patience mends these
                self._failure = error
                return
            except (KafkaException, BrokerError) as error:
                if time.monotonic() - began > _LONGEST_PAUSE_S:
                    pause_s = _SHORTEST_PAUSE_S
                self.metrics.failed(reader)
                log.warning("beginning anew", reader=reader, why=_short(error), next_attempt_s=pause_s)
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - told where it can be, and the process ends by it
                self._failure = error
                return


def _short(error: Exception) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else str(error)
