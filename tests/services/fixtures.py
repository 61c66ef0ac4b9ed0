"""Fixtures for the world outside: `kafka`, `empty_kafka`, `redis_url`, `compose`, `asyncapi_parser`, and programs.

What a machine lacks is a visible skip on a person's machine, and a failure where `CI` is set: there nothing may be
missing unseen.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import redis as redis_client

from agents.topics import APP_ID
from load_tests.services import alertmanager as alertmanager_service
from load_tests.services import kafka as kafka_service
from load_tests.services import redis as redis_service
from load_tests.services.kafka import Kafka
from load_tests.services.need import UnavailableError, program
from load_tests.services.run import OwnRun, Run
from load_tests.services.wait import until
from tests.services import asyncapi
from tests.services import compose as compose_service
from tests.services.compiled import compiled_folder

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

RUN = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Open the run in the controller; join it in a worker."""
    worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
    config.stash[RUN] = OwnRun() if worker_input is None else Run(Path(worker_input["services"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell a worker where the run's services are."""
    node.workerinput["services"] = str(node.config.stash[RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the services with the run, also after Ctrl-C."""
    run = config.stash.get(RUN, None)
    if isinstance(run, OwnRun):
        run.end()


def missing(error: UnavailableError) -> NoReturn:
    """Skip, or fail where `CI` is set."""
    if os.environ.get("CI"):
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The test run, for a test that starts a service of its own."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def kafka(run: Run) -> Kafka:
    """A real Kafka, one for each process of the run: the topics' names are the same for all tests."""
    try:
        name = f"kafka-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        return kafka_service.start(run, name, kafka_service.SHORT_LIVED)
    except UnavailableError as error:
        missing(error)


@pytest.fixture
def empty_kafka(kafka: Kafka) -> Kafka:
    """The run's Kafka, cleared of what earlier tests left: for tests that use the topics' real names."""
    # A worker that a test killed is a member until its session ends, and the next one's join would wait for it.
    until(lambda: APP_ID not in kafka.delete_groups(), "killed workers to have left their group", seconds=100)
    kafka.clear()
    return kafka


@pytest.fixture
def redis_url(run: Run) -> str:
    """The URL of an empty database in a real Redis; no other test uses it meanwhile."""
    try:
        address = redis_service.start(run)
    except UnavailableError as error:
        missing(error)
    url = f"redis://{address}/{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"
    with redis_client.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus' promtool."""
    return _program("promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool() -> str:
    """The path of Alertmanager's amtool."""
    return _program("amtool", "prometheus-alertmanager")


@pytest.fixture(scope="session")
def alertmanager() -> str:
    """The path of Alertmanager itself."""
    try:
        return alertmanager_service.find()
    except UnavailableError as error:
        missing(error)


@pytest.fixture(scope="session")
def prometheus() -> str:
    """The path of Prometheus itself."""
    return _program("prometheus", "prometheus")


@pytest.fixture(scope="session")
def kcat() -> str:
    """The path of kcat, a Kafka client for the shell."""
    return _program("kcat", "kcat")


@pytest.fixture(scope="session")
def javac() -> str:
    """The path of Java's compiler."""
    return _program("javac", "openjdk-17-jdk-headless or newer")


@pytest.fixture(scope="session")
def compose() -> compose_service.Compose:
    """Docker Compose, which understands the compose file without an engine."""
    try:
        return compose_service.compose()
    except UnavailableError as error:
        missing(error)


@pytest.fixture(scope="session")
def compiled_pipeline() -> Path:
    """The folder of the compiled pipeline."""
    try:
        return compiled_folder()
    except UnavailableError as error:
        missing(error)


@pytest.fixture(scope="session")
def asyncapi_parser() -> asyncapi.Parser:
    """AsyncAPI's reference parser: call it with the text of a document."""
    try:
        return asyncapi.parser()
    except UnavailableError as error:
        missing(error)


def _program(name: str, package: str) -> str:
    try:
        return program(name, package)
    except UnavailableError as error:
        missing(error)
