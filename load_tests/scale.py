"""One, two and three workers over the same transactions: the same decisions, and what one costs."""

from contextlib import ExitStack
from hashlib import sha256
from typing import Any

from load_tests.chaos.reading import read
from load_tests.stand.payments import load, purchases
from load_tests.stand.program import Team
from load_tests.stand.rounds import Round, measure
from load_tests.stand.stand import SESSION_S, Stand, stand
from load_tests.stand.tail import Tail

_WORKERS = (1, 2, 3)
_EACH = 20


def scale(transactions: int, seed: int) -> dict[str, Any]:
    """Return the cost by number of workers, the largest against the smallest, and whether all decided the same."""
    with stand(partitions=6) as at:
        runs = {workers: _decided(at, workers, transactions, seed) for workers in _WORKERS}
    costs = [run.cpu_us for run, _ in runs.values()]
    return {
        "workers": {
            str(workers): {"tx_per_s": round(run.per_second), "cpu_us_per_tx": round(run.cpu_us, 2)}
            for workers, (run, _) in runs.items()
        },
        "cpu_ratio": round(max(costs) / min(costs), 3),
        "same_decisions": len({digest for _, digest in runs.values()}) == 1,
    }


def _decided(at: Stand, workers: int, transactions: int, seed: int) -> tuple[Round, str]:
    at.make_topics(history=True)
    with ExitStack() as stack:
        output = stack.enter_context(Tail(at.address, "decisions"))
        team = Team(
            [
                stack.enter_context(at.worker(f"worker-{workers}-{number}", session_timeout=str(SESSION_S)))
                for number in range(workers)
            ]
        )
        for each in team.programs:
            each.said(r"worker ready partitions")
        measure(team, lambda: load(at, purchases(transactions, transactions // _EACH, seed)), output)
        run = measure(team, lambda: load(at, purchases(transactions, transactions // _EACH, seed + 1)), output)
        for each in team.programs:
            each.stop()
    return run, _digest(at)


def _digest(at: Stand) -> str:
    whole = sha256()
    for number in range(at.partitions):
        for value in sorted(record.value or b"" for record in read(at.address, ["decisions"], number)["decisions"]):
            whole.update(value)
    return whole.hexdigest()
