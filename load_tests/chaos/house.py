"""What can break: a broker, a Redis, and workers, each a process group that signals reach."""

from functools import partial
from pathlib import Path

from load_tests.services.kafka import SHORT_LIVED, Kafka, answers, lay_out
from load_tests.services.need import program
from load_tests.services.run import Run, free_ports
from load_tests.services.wait import until
from load_tests.stand.program import Program, ProgramError
from load_tests.stand.stand import Stand

SESSION_S = 6
_ALIVE_S = 120.0
# What the broker needs to compact within seconds, when it is told to.
_CLEANER = "log.cleaner.backoff.ms=500\n"


class House:
    """The processes of a chaos run. `module` is what workers are started with."""

    def __init__(self, run: Run, partitions: int, policy: Path, module: str = "console") -> None:
        folder = run.folder / "broker"
        self._broker_command, address = lay_out(folder, SHORT_LIVED)
        with Path(self._broker_command[-1]).open("a") as properties:
            properties.write(_CLEANER)
        self.kafka = Kafka(**address)
        self.stand = Stand(run, self.kafka, partitions)
        self._policy = policy
        self._module = module
        self._redis_port = free_ports(1)[0]
        self._redis_command = [program("redis-server", "redis-server"), "--bind", "127.0.0.1", "--save", ""]
        self._started = 0
        self.workers: list[Program] = []
        # Workers that ended without being told to, and what they said last.
        self.deaths: list[str] = []
        self.broker = self._start_broker()
        self.redis = self.start_redis()

    def _start_broker(self) -> Program:
        broker = self.stand.program("broker", self._broker_command)
        until(partial(self._broker_answers, broker), "the broker to answer", seconds=_ALIVE_S)
        return broker

    def _broker_answers(self, broker: Program) -> bool:
        broker.check()
        return answers(self.kafka.bootstrap)

    def restart_broker(self) -> None:
        """Start the broker again, on what it left."""
        self.broker = self._start_broker()

    def start_redis(self) -> Program:
        """Start Redis, empty, where workers look for it."""
        self.redis = self.stand.program("redis", [*self._redis_command, "--port", str(self._redis_port)])
        return self.redis

    @property
    def surroundings(self) -> dict[str, str]:
        """The settings that every process of the house shares."""
        return {
            "policy": str(self._policy),
            "redis": f"redis://127.0.0.1:{self._redis_port}",
            "session_timeout": str(SESSION_S),
        }

    def start_worker(self, module: str = "", **settings: str) -> Program:
        """Start one more worker."""
        self._started += 1
        worker = self.stand.worker(f"worker-{self._started}", module or self._module, **self.surroundings, **settings)
        self.workers.append(worker)
        return worker

    def remove(self, worker: Program) -> None:
        """Forget a worker that we ended."""
        self.workers.remove(worker)

    def bury(self) -> None:
        """Take note of workers that ended by themselves, and start others, as an orchestrator would."""
        for worker in [each for each in self.workers if not each.alive]:
            self.workers.remove(worker)
            self.deaths.append(f"{worker.name} ended with {worker.process.returncode}: {worker.log()[-600:]}")
            self.start_worker()

    def end(self) -> None:
        """Stop the workers as an orchestrator does, then the rest."""
        for worker in self.workers:
            try:
                worker.stop()
            except ProgramError as error:
                worker.kill()
                self.deaths.append(str(error))

    def kill(self) -> None:
        """End everything at once."""
        for each in (*self.workers, self.redis, self.broker):
            each.kill()
