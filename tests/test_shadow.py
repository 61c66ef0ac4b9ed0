"""A policy in shadow on live traffic: it is compared with what the workers said of the same."""

import json
from functools import partial
from pathlib import Path

from agents.embedded import EmbeddedBroker
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.rewrite import with_limits
from tests.kafka.house import Worker, payment, publish_payments
from tests.test_console import tierwatch
from tests.test_embedded import has_judged

PAYMENTS = 300
LARGE = 90_000


def test_it_says_what_the_policy_would_have_said_beside_what_was_said(tmp_path: Path) -> None:
    tiers = load_policy(default_yaml()).tiers
    policy = tmp_path / "new.yaml"
    tight = {tier.name: {"amount_per_transaction": LARGE - 1} for tier in tiers}
    policy.write_bytes(with_limits(default_yaml(), tight, 2))
    with EmbeddedBroker() as embedded, Worker(tmp_path, embedded.address) as worker:
        worker.ready()
        payments = [payment(each, f"c-{each}", amount=LARGE if each % 3 == 0 else 1_000) for each in range(PAYMENTS)]
        publish_payments(Kafka(bootstrap=embedded.address, sasl_bootstrap=""), payments)
        until(partial(has_judged, worker, PAYMENTS), "all decisions", seconds=60)
        done = tierwatch("shadow", "--policy", policy, "--json", TIERWATCH_BROKER=embedded.address)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])["report"]
        assert said["transactions"] == PAYMENTS
        shadow, in_force = said["sides"]
        assert (shadow["version"], shadow["alerts"]) == (2, PAYMENTS / 3)
        assert (in_force["version"], in_force["alerts"]) == (1, 0)
        (line,) = said["lines"]
        assert (line["tier"], line["rule"], line["gained"]) == ("base", "amount_per_transaction", PAYMENTS / 3)
