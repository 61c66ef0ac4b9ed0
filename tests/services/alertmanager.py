"""A real Alertmanager, with a configuration of the test's."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from load_tests.services.run import Run, free_ports


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
                return bool(answer.status == 200)
        except OSError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds."""
        with urllib.request.urlopen(f"http://{self.address}/api/v2/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found
