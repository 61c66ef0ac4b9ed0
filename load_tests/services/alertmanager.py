"""A real Alertmanager, with a configuration of the test's."""

import json
import shutil
import urllib.request
from copy import deepcopy
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from load_tests.services.need import program
from load_tests.services.run import DiedError, Run, free_ports


def find() -> str:
    """Return the path of Alertmanager, which distributions rename, or raise `UnavailableError`."""
    name = "alertmanager" if shutil.which("alertmanager") else "prometheus-alertmanager"
    return program(name, "prometheus-alertmanager")


def impatient(committed: dict[str, Any], listener: str) -> dict[str, Any]:
    """Return the committed routes without their waits, and with receivers that are paths of `listener`."""
    config = deepcopy(committed)
    for each in config["receivers"]:
        each["webhook_configs"] = [{"url": f"{listener}/{each['name']}", "send_resolved": True}]
    routes = [config["route"]]
    while routes:
        route = routes.pop()
        route |= {"group_wait": "300ms", "group_interval": "1s"}
        routes += route.get("routes", [])
    return config


class Alertmanager:
    """Alertmanager as docker-compose starts it, its address in `address`."""

    def __init__(self, program: str, run: Run, folder: Path, config: dict[str, Any]) -> None:
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        arguments = [
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            "--cluster.listen-address=",
            f"--web.listen-address={self.address}",
        ]
        run.spawn(folder, [program, *arguments], self._ready)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def tell(self, *alerts: dict[str, Any]) -> None:
        """Hand alerts in, as Prometheus does."""
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts",
            data=json.dumps(alerts).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - ours
            if answer.status != HTTPStatus.OK:
                raise DiedError(f"Alertmanager answers {answer.status}")

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds."""
        with urllib.request.urlopen(f"http://{self.address}/api/v2/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found
