"""The same payments through each engine in turn: what one costs, cold and warm."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from load_tests.peers import environments
from load_tests.peers.payments import Payments
from load_tests.services.kafka import java
from load_tests.stand.program import Program
from load_tests.stand.rounds import Load, Round, measure
from load_tests.stand.stand import SESSION_S, Stand
from load_tests.stand.tail import Tail

# Rounds before the one that counts: a customer's 24 hours are full by then, and Java's compiler has done its work.
WARMING = 4


@dataclass(frozen=True)
class Contestant:
    """One engine. `share` of a round's payments is enough for a slow one; its customers are fewer in proportion."""

    name: str
    start: Callable[[Stand], Program]
    ready: str
    share: float = 1.0


def contestants() -> dict[str, Contestant]:
    """Return all of them, built."""
    rules = environments.compiled_rules()
    jars = environments.streams_jars()
    return {
        each.name: each
        for each in (
            Contestant("tierwatch", partial(_ours, rules), "^ready"),
            Contestant(
                "faust", partial(_python, "faust", environments.python_with("faust"), rules), "Worker ready", 0.1
            ),
            Contestant(
                "quix", partial(_python, "quix", environments.python_with("quix"), rules), "now processing incoming"
            ),
            Contestant("kafka_streams", partial(_streams, jars, "rocksdb"), "^ready"),
            Contestant("kafka_streams_memory", partial(_streams, jars, "memory"), "^ready"),
        )
    }


def contest(at: Stand, who: Contestant, each: int, seed: int) -> list[Round]:
    """Start an engine on empty topics; return its rounds, the cold one first, the warm one last."""
    at.make_topics(history=True)
    payments = Payments(int(each * who.share), at.partitions, seed)

    def prepare() -> Load:
        records, last = payments.round()
        return Load(at.load(records), last)

    with Tail(at.address, "alerts") as output, who.start(at) as program:
        program.said(f"(?m){who.ready}")
        rounds = [measure(program, prepare, output) for _ in range(WARMING + 1)]
        program.stop()
        return rounds


def _ours(rules: Path, at: Stand) -> Program:
    settings = {"broker": at.address, "session_timeout": str(SESSION_S), "metrics_port": "0"}
    return at.program(
        "ours",
        [sys.executable, "-m", "load_tests.peers.ours"],
        PYTHONPATH=f"{rules}:{environments.HERE.parents[1]}",
        **{f"TIERWATCH_{name.upper()}": text for name, text in settings.items()},
    )


def _python(name: str, python: str, rules: Path, at: Stand) -> Program:
    folder = at.fresh(name)
    arguments = ["--datadir", str(folder), "worker", "-l", "info"] if name == "faust" else [str(folder)]
    return at.program(
        name,
        [python, str(environments.RULES / f"with_{name}.py"), *arguments],
        PYTHONPATH=str(rules),
        PARTITIONS=str(at.partitions),
        GROUP=at.broker.unique(name),
    )


def _streams(jars: Path, store: str, at: Stand, *settings: str) -> Program:
    return at.program(
        f"kafka-streams-{store}",
        [
            java(),
            "-cp",
            f"{jars}/*",
            "-Xms512m",
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            f"-Dbroker={at.address}",
            f"-Dgroup={at.broker.unique('kafka-streams')}",
            f"-Ddir={at.fresh(store)}",
            f"-Dstore={store}",
            *settings,
            "Peer",
        ],
    )
