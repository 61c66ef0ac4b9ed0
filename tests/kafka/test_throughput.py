"""Our engine beside stock Faust, on the same work: a ratio, which a busy machine leaves as it is."""

import sys

import pytest

from load_tests.peers import environments
from load_tests.peers.contest import contest, contestants, stock_faust
from load_tests.services.kafka import Kafka
from load_tests.services.need import UnavailableError
from load_tests.services.run import Run
from load_tests.stand.stand import Stand
from tests.services.fixtures import missing

TRANSACTIONS = 20_000
# 31 to 39 was measured in rounds as short as these.
AT_LEAST = 12


@pytest.mark.timeout(300)
def test_a_transaction_costs_a_fraction_of_what_it_costs_stock_faust(kafka: Kafka, run: Run) -> None:
    at = Stand(run, kafka, partitions=4)
    try:
        (ours,) = contestants(["tierwatch"])
        # Faust is what tierwatch stands on, so it is here already.
        faust = stock_faust(sys.executable, environments.compiled_rules())
    except UnavailableError as error:
        missing(error)
    costs = [contest(at, who, TRANSACTIONS, seed=1, warming=1)[-1].cpu_us for who in (ours, faust)]
    assert costs[1] / costs[0] >= AT_LEAST, costs
