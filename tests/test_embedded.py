"""The embedded broker: the same worker, with nothing but Python packages."""

from functools import partial
from pathlib import Path

from agents.broker import Broker
from agents.embedded import PARTITIONS, EmbeddedBroker
from agents.topics import look
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, payment, publish_payments, settings


def has_judged(worker: Worker, count: int) -> bool:
    return worker.metric("tierwatch_decisions_total") >= count


def test_a_worker_judges_on_it_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedBroker() as embedded:
        broker = Kafka(bootstrap=embedded.address, sasl_bootstrap="")
        layout = look(Broker(settings(embedded.address)))
        assert (layout.embedded, layout.live, layout.partitions["transactions"]) == (True, False, PARTITIONS)
        for begin in (0, 500):
            with Worker(tmp_path, embedded.address) as worker:
                worker.ready()
                assert len([line for line in worker.log().splitlines() if "embedded=" in line]) == 1
                publish_payments(broker, [payment(number, f"c-{number % 50}") for number in range(begin, begin + 500)])
                until(partial(has_judged, worker, 500), "500 decisions", seconds=60)
                # A restart goes on from what was committed: nothing is judged again.
                assert worker.metric("tierwatch_decisions_total") == 500
                assert worker.metric("tierwatch_duplicates_total") == 0
                assert worker.stop() == 0
