"""The same payments through each engine in turn: what one costs, cold and warm."""

import sys
from collections.abc import Callable, Sequence
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
# What a worker of ours says of a thing that an undisturbed run does not have.
TROUBLE = r"(?m)^\S+ (WARNING|ERROR) .*"


@dataclass(frozen=True)
class Contestant:
    """One engine. `share` of a round's payments is enough for a slow one; its customers are fewer in proportion.

    Its log may not hold `trouble`: who begins again and again comes to the end too, at many times the cost.
    """

    name: str
    start: Callable[[Stand], Program]
    ready: str
    share: float = 1.0
    trouble: str | None = None


def contestants(names: Sequence[str]) -> list[Contestant]:
    """Return those named, built.

    Raises:
        UnavailableError: something that one needs cannot be had; the text says what to do.

    """
    rules = environments.compiled_rules()
    return [_contestant(name, rules) for name in names]


def _contestant(name: str, rules: Path) -> Contestant:
    match name:
        case "tierwatch":
            return Contestant(name, partial(ours, rules), "^ready", trouble=TROUBLE)
        case "faust":
            return stock_faust(environments.python_with("faust"), rules)
        case "quix":
            python = environments.python_with("quix")
            return Contestant(name, partial(_python, name, python, rules), "now processing incoming")
        case "kafka_streams":
            return Contestant(name, partial(streams, environments.streams_jars(), "rocksdb"), "^ready")
        case "kafka_streams_memory":
            return Contestant(name, partial(streams, environments.streams_jars(), "memory"), "^ready")
        case _:
            raise ValueError(f"no engine is called {name}")


def stock_faust(python: str, rules: Path) -> Contestant:
    """Return stock Faust, run by this Python."""
    return Contestant("faust", partial(_python, "faust", python, rules), "Worker ready", share=0.1)


def contest(at: Stand, who: Contestant, each: int, seed: int, warming: int = WARMING) -> list[Round]:
    """Start an engine on empty topics; return its rounds, the cold one first, the warm one last.

    Raises:
        ProgramError: it ended, or had trouble.

    """
    at.make_topics(history=True)
    payments = Payments(int(each * who.share), at.partitions, seed)

    def prepare() -> Load:
        records, last = payments.round()
        return Load(at.load(records), last)

    with Tail(at.address, "alerts") as output, who.start(at) as program:
        program.said(f"(?m){who.ready}")
        rounds = [measure(program, prepare, output) for _ in range(warming + 1)]
        program.stop()
        if who.trouble:
            program.never_said(who.trouble)
        return rounds


def _python(name: str, python: str, rules: Path, at: Stand) -> Program:
    folder = at.fresh(name)
    arguments = (
        ["--datadir", str(folder), "worker", "-l", "info", "--without-web"] if name == "faust" else [str(folder)]
    )
    return at.program(
        name,
        [python, str(environments.RULES / f"with_{name}.py"), *arguments],
        PYTHONPATH=str(rules),
        PARTITIONS=str(at.partitions),
        GROUP=at.broker.unique(name),
    )


def ours(rules: Path, at: Stand) -> Program:
    """Start our engine with the reduced rules."""
    settings = {"broker": at.address, "session_timeout": str(SESSION_S), "metrics_port": "0"}
    return at.program(
        "ours",
        [sys.executable, "-m", "load_tests.peers.ours"],
        PYTHONPATH=f"{rules}:{environments.HERE.parents[1]}",
        **{f"TIERWATCH_{name.upper()}": text for name, text in settings.items()},
    )


def streams(jars: Path, store: str, at: Stand, *settings: str) -> Program:
    """Start the Java program; `settings` are more of its properties."""
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
