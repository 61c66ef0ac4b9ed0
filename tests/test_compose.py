"""What `make up` starts: the compose file as Compose reads it, and each service's configuration in the real program."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis

from agents import web
from agents.health import Health
from agents.measure import Metrics
from agents.settings import DEFAULT_POLICY, Settings
from load_tests.services import kafka as kafka_service
from load_tests.services.need import UnavailableError, program
from load_tests.services.run import Run, free_ports
from tests.services.compose import Compose
from tests.services.fixtures import missing

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
DASHBOARDS = ROOT / "dashboards"
ONE_SHOT = {"topics"}
OURS = {"topics", "worker", "pager", "simulator"}
SERVICES = {*OURS, "kafka", "redis", "prometheus", "alertmanager", "grafana"}


@cache
def read(compose: Compose) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(compose.config(FILE, "--profile", "simulator"))
    return whole


@pytest.fixture
def services(compose: Compose) -> dict[str, Any]:
    found: dict[str, Any] = read(compose)["services"]
    return found


def test_everything_is_there_and_the_simulator_only_when_asked_for(compose: Compose, services: dict[str, Any]) -> None:
    assert set(services) == SERVICES
    assert set(json.loads(compose.config(FILE))["services"]) == SERVICES - {"simulator"}
    assert services["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("    imagine: tierwatch", "additional properties"),
        ("    ports: 9092", "ports"),
        ("    depends_on: {nobody: {condition: service_healthy}}", "nobody"),
    ],
)
def test_compose_checks_the_file_against_its_schema(
    compose: Compose, tmp_path: Path, line: str, complaint: str
) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace("    image: apache/kafka", f"{line}\n    image: apache/kafka"))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        compose.config(broken)
    assert complaint in refused.value.stderr


def test_images_are_pinned(services: dict[str, Any]) -> None:
    floating = {
        name for name, service in services.items() if not re.search(r":v?\d+\.\d+\.\d+(-\w+)?$", service["image"])
    }
    assert floating == set()


def test_what_is_tested_is_what_runs(services: dict[str, Any]) -> None:
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*)</version>", kafka_service.POM.read_text())
    assert version is not None
    assert services["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_nobody_is_root_or_can_become_it(services: dict[str, Any]) -> None:
    users = {name: service.get("user", "the image's") for name, service in services.items()}
    assert {name for name, user in users.items() if user == "the image's"} == OURS
    assert users.keys() - OURS == {name for name, user in users.items() if user not in {"root", "0", "the image's"}}
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.findall(r"^USER (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE) == ["10001:10001"]


def test_nothing_can_write_but_where_it_must(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if not service.get("read_only")} == {"kafka"}
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    assert all(mount.get("read_only") for mount in mounts if mount["type"] == "bind")
    assert {mount["source"] for mount in mounts if mount["type"] == "volume"} == {
        "kafka",
        "prometheus",
        "alertmanager",
        "grafana",
    }


def test_everything_has_a_limit_and_is_restarted(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert {name for name, service in services.items() if service["restart"] != "unless-stopped"} == ONE_SHOT


def test_everything_that_stays_says_whether_it_is_well(services: dict[str, Any]) -> None:
    silent = {name for name, service in services.items() if service.get("healthcheck", {}).get("disable")}
    assert silent == {"topics", "simulator"}
    # A worker's and a pager's is in their image.
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"worker", "pager"}
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_each_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    waits = {
        (name, other, wait["condition"])
        for name, service in services.items()
        for other, wait in service.get("depends_on", {}).items()
    }
    assert waits == {
        ("topics", "kafka", "service_healthy"),
        ("worker", "topics", "service_completed_successfully"),
        ("worker", "redis", "service_healthy"),
        ("pager", "topics", "service_completed_successfully"),
        ("pager", "alertmanager", "service_healthy"),
        ("simulator", "worker", "service_healthy"),
        ("grafana", "prometheus", "service_healthy"),
    }


def test_only_this_machine_reaches_in(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert {port["published"] for port in ports} == {"29092", "9090", "9093", "3000"}


def test_what_is_mounted_is_in_the_repository(services: dict[str, Any]) -> None:
    sources = {
        Path(mount["source"])
        for each in services.values()
        for mount in each.get("volumes", [])
        if mount["type"] == "bind"
    }
    assert {source for source in sources if not source.exists()} == set()
    assert DEFAULT_POLICY in sources


def test_workers_understand_their_environment(services: dict[str, Any]) -> None:
    for name in OURS:
        environment = services[name]["environment"]
        assert Settings.unknown(environment) == []
        (policy,) = (each for each in services[name]["volumes"] if each["target"] == environment["TIERWATCH_POLICY"])
        settings = Settings.from_environment(environment | {"TIERWATCH_POLICY": policy["source"]})
        assert settings.broker == "kafka:9092"


def test_kafka_takes_its_configuration_as_it_stands(services: dict[str, Any], tmp_path: Path) -> None:
    try:
        java, jars = kafka_service.java(), kafka_service.jars()
    except UnavailableError as error:
        missing(error)
    properties = tmp_path / "server.properties"
    text, where = kafka_service.PROPERTIES.read_text(), "log.dirs=/var/lib/kafka/data"
    assert where in text
    assert any(mount["target"] == where.partition("=")[2] for mount in services["kafka"]["volumes"])
    properties.write_text(text.replace(where, f"log.dirs={tmp_path / 'data'}"))
    cluster = services["kafka"]["environment"]["CLUSTER_ID"]
    format_storage = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(properties)]
    done = subprocess.run(
        [java, "-cp", f"{jars}/*", *format_storage], check=False, text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"cluster.id={cluster}" in (tmp_path / "data" / "meta.properties").read_text()


def test_redis_takes_its_arguments(services: dict[str, Any], run: Run, tmp_path: Path) -> None:
    name, *arguments = services["redis"]["command"]
    try:
        server = program(name, "redis-server")
    except UnavailableError as error:
        missing(error)
    (port,) = free_ports(1)
    with redis.Redis(port=port) as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        here = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path)]
        run.spawn(tmp_path, [server, *arguments, *here], answers)
        told = {**client.config_get("save"), **client.config_get("appendonly"), **client.config_get("maxmemory*")}
        assert told["save"] == ""
        assert told["appendonly"] == "no"
        assert int(told["maxmemory"]) < int(services["redis"]["deploy"]["resources"]["limits"]["memory"])
        assert told["maxmemory-policy"] == "noeviction"
        client.shutdown(nosave=True)


def test_the_images_files_are_all_that_tierwatch_needs(tmp_path: Path) -> None:
    dockerfile, ignored = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--)(.*)$", dockerfile, re.MULTILINE)
        for source in shlex.split(line)[:-1]
    ]
    assert sorted(copied) == sorted(line[1:].rstrip("/") for line in ignored if line.startswith("!"))

    context, installed = tmp_path / "context", tmp_path / "installed"
    context.mkdir()
    for name in copied:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        else:
            shutil.copy(ROOT / name, context)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], check=True, cwd=context, capture_output=True)
    (wheel,) = tmp_path.glob("tierwatch-*.whl")
    zipfile.ZipFile(wheel).extractall(installed)
    # The installed packages come before the checkout, to which an editable installation points.
    checked = subprocess.run(
        [sys.executable, "-m", "console", "policy", "check", str(installed / "pipeline" / "policy" / "default.yaml")],
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        text=True,
        capture_output=True,
    )
    assert "fits" in checked.stdout


def test_a_worker_is_well_as_long_as_it_answers() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    command: list[str] = json.loads(re.findall(r"HEALTHCHECK [^\[]*(\[.*\])", dockerfile)[0])
    assert command[0] == "python"
    default = f":{Settings().metrics_port}/health/live"
    assert default in command[2]

    def exit_code(port: int) -> int:
        code = command[2].replace(default, f":{port}/health/live")
        return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode

    assert exit_code(web.serve("127.0.0.1", 0, Metrics().registry, Health())) == 0
    (nobody,) = free_ports(1)
    assert exit_code(nobody) != 0
