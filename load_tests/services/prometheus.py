"""A real Prometheus with the committed configuration and other addresses."""

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from load_tests.services.run import Run, free_ports

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "dashboards" / "prometheus"


class Prometheus:
    """Prometheus as docker-compose starts it.

    `targets` is whom each job scrapes, itself where nothing is said; `every` is how often it looks and thinks, and
    `rules` the folder of its rules.
    """

    def __init__(
        self,
        program: str,
        run: Run,
        folder: Path,
        targets: Mapping[str, str | Sequence[str]],
        *,
        every: str = "1s",
        rules: Path = CONFIG / "rules",
    ) -> None:
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        config = yaml.safe_load((CONFIG / "prometheus.yml").read_text())
        config["global"] = {**dict.fromkeys(config["global"], every), "scrape_timeout": every}
        for job in config["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": _several(targets.get(job["job_name"], self.address))}]
        managers = {"static_configs": [{"targets": [targets["alertmanager"]]}]} if "alertmanager" in targets else None
        config["alerting"] = {"alertmanagers": [managers] if managers else []}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        shutil.copytree(rules, folder / "rules")
        (folder / "data").mkdir()
        arguments = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["command"]
        places = {"/etc/prometheus/": f"{folder}/", "=/prometheus": f"={folder / 'data'}"}
        for ours, here in places.items():
            arguments = [argument.replace(ours, here) for argument in arguments]
        run.spawn(folder, [program, *arguments, f"--web.listen-address={self.address}"], self._ready)

    def _ready(self) -> bool:
        try:
            return bool(self.asked("query", query="1"))
        except OSError:
            return False

    def asked(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """Return the answer's `data`, of a query its results."""
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            data = json.load(answer)["data"]
        return data.get("result", data) if isinstance(data, dict) else data


def _several(targets: str | Sequence[str]) -> list[str]:
    return [targets] if isinstance(targets, str) else list(targets)
