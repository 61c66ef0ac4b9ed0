"""The Faust application: what it is made of, and how Faust is set up for it."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import cast

import faust
from faust.app.base import BootStrategy
from faust.types.auth import CredentialsT
from mode import Service
from mode.types import ServiceT

from agents.customers import add_agent
from agents.engine.engine import Engine, Identity
from agents.engine.pipeline import Pipeline
from agents.engine.recovery import TableManager
from agents.engine.rows import Rows
from agents.engine.table import Store, Table
from agents.engine.transport import BatchTopic, Consumer, brokers
from agents.health import Health
from agents.measure import Metrics
from agents.policies import SharedBooks
from agents.readmodel import ReadModel
from agents.readmodel_store import MemoryStore, RedisStore
from agents.settings import Settings
from agents.topics import APP_ID, TABLES, Layout
from agents.waits import Standstill
from pipeline.partition import Partition
from pipeline.policy.model import Policy
from schemas.topics import TOPICS

# Records of one fetch at most, all partitions together; see also `Engine.most_records`.
MOST_RECORDS = 2_000
# The embedded broker hands out one producer's batch a fetch: a commit for each would cost more than the judging.
EMBEDDED_LINGER_S = 0.1
# With a heartbeat a worker also learns that partitions are to be assigned anew.
HEARTBEAT_S = 0.5
# Batches that wait for the agent, which takes each at once: see `Consumer._getmany` for what bounds them.
MOST_WAITING = 2


class Boot(BootStrategy):
    """What starts before the consumer: nothing is judged before the books are read."""

    enable_kafka_producer = False  # the engine's are transactional; stock's would be connected and never used

    app: "App"

    def server(self) -> Iterable[ServiceT]:
        """Return the services of a worker, in the order in which they start."""
        readers = [self.app.read_model] if self.app.read_model else []
        return chain([self.app.shared], super().server(), [Ticker(self.app)], readers)


class Ticker(Service):
    """The worker's clock, once a second."""

    def __init__(self, app: "App") -> None:
        super().__init__()
        self._app = app
        self._standstill = Standstill(app.loops())

    @Service.timer(1.0)
    async def _tick(self) -> None:
        self._app.engine.tick()
        self._app.metrics.look(self._app)
        self._app.health.look(self._app)
        self._standstill.look(self._app.health.waits_for, self._app.tables.recovery.came, time.monotonic())


class App(faust.App):
    """One worker's part of the application `tierwatch`; made inside the event loop that it will run in."""

    BootStrategy = Boot

    consumer: Consumer
    tables: TableManager

    def __init__(
        self, settings: Settings, policy: Policy, layout: Layout, metrics: Metrics, health: Health | None = None
    ) -> None:
        super().__init__(
            APP_ID,
            broker=brokers(settings.broker.split(",")),
            broker_credentials=_credentials(settings),
            broker_client_id=APP_ID,
            broker_session_timeout=settings.session_timeout,
            broker_heartbeat_interval=min(settings.session_timeout / 4, HEARTBEAT_S),
            broker_request_timeout=max(90.0, settings.session_timeout + 1),
            broker_max_poll_records=MOST_RECORDS,
            # The embedded broker writes its transaction markers without a checksum.
            broker_check_crcs=not layout.embedded,
            stream_buffer_maxsize=MOST_WAITING,
            key_serializer="raw",
            value_serializer="raw",
            store="memory://",
            Topic=BatchTopic,
            Table=Table,
            TableManager=TableManager,
            # Topics are made by `tierwatch topics create`, and Faust's leader topic would be one more.
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=settings.standby_replicas,
            web_enabled=False,
        )
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.settings = settings
        self.layout = layout
        self.metrics = metrics
        self.health = health or Health()
        client = settings.aiokafka()
        self.shared = SharedBooks(policy, client, layout)
        tables = {name: self.Table(name, key_type=bytes, value_type=bytes) for name in TABLES}
        self.engine = Engine(
            Identity(APP_ID, client, tuple(TOPICS)),
            {name: cast("Store", table.data).partitions for name, table in tables.items()},
            self._new_pipeline,
            self.shared.seen,
            metrics,
            linger=max(settings.linger, EMBEDDED_LINGER_S if layout.embedded else 0.0),
            live=layout.live,
        )
        self.engine.on_begin.append(self.shared.begin)
        self.engine.rejoin = self._rejoin
        self.engine.give_up = self.fail
        self.engine.priority_weight = self._priority_weight
        store = RedisStore(settings.redis) if settings.redis else MemoryStore() if layout.embedded else None
        self.read_model = store and ReadModel(
            store, client, layout, lambda: self.engine.shards, metrics.gauge("redis_up").set, metrics.limits_used
        )
        if self.read_model:
            self.engine.on_committed.append(self.read_model.hear)
        add_agent(self)

    def _new_pipeline(self, number: int, rows: Mapping[str, Rows]) -> Pipeline:
        return Partition(
            number,
            self.layout.partitions["transactions"],
            self.shared.books,
            rows["windows"].get,
            rows["dossiers"].get,
            self.settings.cached_customers,
        )

    def _priority_weight(self) -> int:
        return self.shared.books.policies.in_force(int(time.time() * 1000)).priority_weight

    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """Return the event loops that work is done in: this thread's, and the one that talks to Kafka."""
        return [asyncio.get_running_loop(), self.consumer.thread_loop]

    def fail(self, error: BaseException) -> None:
        """End the worker because of this: told once, where it ends."""
        if not self.failed.done():
            self.failed.set_result(error)

    def _rejoin(self) -> None:
        self.consumer.rejoin()

    def _create_directories(self) -> None:
        """Make none: stock wants a folder for table files, and ours are in the changelogs."""


def _credentials(settings: Settings) -> CredentialsT | None:
    context = settings.ssl_context()
    if settings.sasl:
        return faust.SASLCredentials(
            username=settings.username,
            password=settings.password,
            mechanism=settings.mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
