"""A house under watch: broker, Redis, a worker, the pager, Prometheus, Alertmanager, and those who are told."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import yaml

from load_tests.chaos import house as chaos_house
from load_tests.incidents import hurried
from load_tests.incidents.traffic import Office, Traffic
from load_tests.services import alertmanager
from load_tests.services.need import program
from load_tests.services.prometheus import CONFIG, Prometheus
from load_tests.services.receiver import receiver
from load_tests.services.run import OwnRun, free_ports
from load_tests.services.wait import until
from load_tests.stand.program import Program
from load_tests.stand.stand import ROOT

PARTITIONS = 4
# How often Prometheus looks and thinks. More often, a worker that is busy would seem gone.
LOOKS_S = 2
_START_S = 120.0
_ROUTES = ROOT / "dashboards" / "alertmanager" / "alertmanager.yml"


class House(chaos_house.House):
    """Everything that can break, with rules and routes `factor` times faster. Ends with the block."""

    def __init__(self, factor: int) -> None:
        """Start all of it; raises `UnavailableError` where something is not on this machine."""
        prometheus, manager = program("prometheus", "prometheus"), alertmanager.find()
        self.factor = factor
        self._run = OwnRun()
        # What a fault keeps doing until it is mended.
        self.fault = ExitStack()
        self._stack = ExitStack()
        self._stack.callback(self._run.end)
        try:
            self.office = Office()
            policy = self._run.folder / "policy.yaml"
            policy.write_bytes(self.office.yaml)
            super().__init__(self._run, PARTITIONS, policy)
            self._stack.callback(self.kill)
            self.stand.make_topics(history=False)
            self._ports = [str(port) for port in free_ports(3)]
            self.told = self._stack.enter_context(receiver())
            self.duty = self._stack.enter_context(receiver())
            self.start(0).said("worker ready partitions")
            self._start_manager(manager)
            self.pager = self._stack.enter_context(self._start_pager())
            for words in ("cases known", "pages known"):
                self.pager.said(words)
            self.traffic = Traffic(self.kafka.bootstrap)
            self.traffic.start()
            self._stack.callback(self.traffic.stop)
            self._start_prometheus(prometheus)
            self._stack.push(self.fault)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, place: int, module: str = "") -> Program:
        """Start a worker where Prometheus looks for the first one (0) or the second (1)."""
        return self.start_worker(module, metrics_port=self._ports[place])

    def end_workers(self) -> None:
        """Kill them all."""
        for worker in list(self.workers):
            worker.kill()
            self.remove(worker)

    def _start_manager(self, found: str) -> None:
        config = hurried.routes(yaml.safe_load(_ROUTES.read_text()), self.told.address, self.factor)
        self.manager = alertmanager.Alertmanager(found, self._run, self._folder("alertmanager"), config)

    def _start_pager(self) -> Program:
        own = {
            "broker": self.kafka.bootstrap,
            "metrics_host": "127.0.0.1",
            "metrics_port": self._ports[2],
            "alertmanager": f"http://{self.manager.address}",
            "pagerduty": self.duty.address,
            "pagerduty_key": "incidents",
        }
        environment = {f"TIERWATCH_{name.upper()}": text for name, text in {**self.surroundings, **own}.items()}
        return self.stand.program("pager", [sys.executable, "-m", "console", "pager"], **environment)

    def _start_prometheus(self, found: str) -> None:
        rules = self._run.folder / "rules"
        hurried.rules(CONFIG / "rules", rules, self.factor)
        first, second, pager = (f"127.0.0.1:{port}" for port in self._ports)
        targets: dict[str, str | Sequence[str]] = {
            "tierwatch": [first, second],
            "tierwatch-pager": pager,
            "alertmanager": self.manager.address,
        }
        folder = self._folder("prometheus")
        self.prometheus = Prometheus(found, self._run, folder, targets, every=f"{LOOKS_S}s", rules=rules)
        until(lambda: self.asked('up{job="tierwatch"} == 1'), "Prometheus to see the worker", seconds=_START_S)

    def _folder(self, name: str) -> Path:
        folder = self._run.folder / name
        folder.mkdir()
        return folder

    def asked(self, query: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to a query."""
        found: list[dict[str, Any]] = self.prometheus.asked("query", query=query)
        return found
