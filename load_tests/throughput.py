"""What a worker decides in a second on a real Kafka, exactly once, and what a decision costs beside its peers."""

import json
import signal
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from load_tests.month import Month
from load_tests.peers.contest import TROUBLE, contest, contestants
from load_tests.stand.payments import load
from load_tests.stand.rounds import Load, Round, measure
from load_tests.stand.stand import SESSION_S, Stand, stand
from load_tests.stand.tail import Tail

PEERS = ("faust", "quix", "kafka_streams", "kafka_streams_memory")


class Whole(NamedTuple):
    """A round of a worker with the whole policy, how much the logs grew in it, and what the worker said."""

    round: Round
    written_bytes: int
    log: str


def throughput(transactions: int, seed: int, repeats: int, peers: Sequence[str] = PEERS) -> dict[str, Any]:
    """Return what was measured, `transactions` a round: a worker with the whole policy, then the peers with less.

    The programs run in turn, and that `repeats` times: who is measured in a noisy minute is measured in others, too.

    Raises:
        UnavailableError: something that a peer needs cannot be had; the text says what to do.

    """
    every = contestants(("tierwatch", *peers)) if peers else []
    whole: list[Whole] = []
    reduced: defaultdict[str, list[list[Round]]] = defaultdict(list)
    with stand() as at:
        for _ in range(repeats):
            whole.append(whole_policy(at, transactions, seed))
            for each in every:
                reduced[each.name].append(contest(at, each, transactions, seed))
        shares = stages(at, transactions, seed)
    tierwatch = {
        **_told([each.round for each in whole]),
        "written_bytes_per_tx": round(median(each.written_bytes for each in whole) / transactions),
        "share_of_each_stage": shares,
    }
    return {"tierwatch": tierwatch, **_compared(reduced)}


def whole_policy(at: Stand, transactions: int, seed: int) -> Whole:
    """Measure a worker with the whole default policy; history topics, so that it is the month of `judge`."""
    return _whole_policy(at, transactions, seed, "console")


def stages(at: Stand, transactions: int, seed: int) -> dict[str, float]:
    """Return the share of each stage in the CPU time of a worker that is looked at while it works."""
    log = _whole_policy(at, transactions, seed, "load_tests.stand.sampled").log
    seconds: dict[str, float] = json.loads(log.rpartition("stages ")[2].splitlines()[0])
    whole = sum(seconds.values())
    return {stage: round(spent / whole, 3) for stage, spent in seconds.items()}


def _whole_policy(at: Stand, transactions: int, seed: int, module: str) -> Whole:
    at.make_topics(history=True)
    month = Month(2 * transactions, seed)
    policy = at.folder / "policy.yaml"
    policy.write_bytes(month.policy_yaml)
    at.load(month.grants())
    payments = month.payments()

    def prepare() -> Load:
        return load(at, islice(payments, transactions))

    with (
        Tail(at.address, "decisions") as output,
        at.worker(module=module, policy=str(policy), session_timeout=str(SESSION_S)) as worker,
    ):
        worker.said(r"worker ready partitions=\S*\[")
        measure(worker, prepare, output)  # warms caches, and grants are in force
        if module != "console":
            worker.send(signal.SIGUSR1)
        written = at.written_bytes()
        measured = measure(worker, prepare, output)
        written = at.written_bytes() - written
        worker.stop()
        worker.never_said(TROUBLE)
        return Whole(measured, written, worker.log())


def _told(rounds: list[Round]) -> dict[str, Any]:
    return {
        "tx_per_s": round(median(each.per_second for each in rounds)),
        "cpu_us_per_tx": round(median(each.cpu_us for each in rounds), 2),
        "cpu_us_of_each_run": [round(each.cpu_us, 2) for each in rounds],
    }


def _compared(reduced: dict[str, list[list[Round]]]) -> dict[str, Any]:
    """Compare run by run: what is measured close together has met the same noise."""
    if not reduced:
        return {}
    ours = [runs[-1].cpu_us for runs in reduced["tierwatch"]]
    ratios = {
        name: round(median(theirs[-1].cpu_us / own for theirs, own in zip(runs, ours, strict=True)), 2)
        for name, runs in reduced.items()
        if name != "tierwatch"
    }
    cold = {name: round(median(runs[0].cpu_us for runs in each), 2) for name, each in reduced.items()}
    warm = {name: _told([runs[-1] for runs in each]) for name, each in reduced.items()}
    return {"ratio": ratios, "reduced": {name: {**warm[name], "cpu_us_cold": cold[name]} for name in reduced}}
