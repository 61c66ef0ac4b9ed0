"""Half of all payments are one customer's: what a transaction costs then, against customers who pay alike."""

from typing import Any

from load_tests.stand.payments import load, purchases
from load_tests.stand.rounds import Round, measure
from load_tests.stand.stand import SESSION_S, Stand, stand
from load_tests.stand.tail import Tail

_EACH = 20
_SHARE = 0.5


def hot_customer(transactions: int, seed: int) -> dict[str, Any]:
    """Return both costs and their ratio; the hot customer pays half of `transactions` within a day."""
    with stand() as at:
        alike = _decided(at, transactions, seed, 0.0)
        hot = _decided(at, transactions, seed, _SHARE)
    return {
        "hot_customer_transactions": round(transactions * _SHARE),
        "alike": {"tx_per_s": round(alike.per_second), "cpu_us_per_tx": round(alike.cpu_us, 2)},
        "hot": {"tx_per_s": round(hot.per_second), "cpu_us_per_tx": round(hot.cpu_us, 2)},
        "cpu_ratio": round(hot.cpu_us / alike.cpu_us, 2),
    }


def _decided(at: Stand, transactions: int, seed: int, hot_share: float) -> Round:
    at.make_topics(history=True)
    with Tail(at.address, "decisions") as output, at.worker(session_timeout=str(SESSION_S)) as worker:
        worker.said(r"worker ready partitions")
        records = purchases(transactions, transactions // _EACH, seed, hot_share=hot_share)
        run = measure(worker, lambda: load(at, records), output)
        worker.stop()
    return run
