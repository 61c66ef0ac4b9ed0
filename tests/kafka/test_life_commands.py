"""Whom a suspension concerns, what a customer has, and that nobody edited the audit: asked of a house at work."""

import json
import time

import msgspec
from typer.testing import CliRunner, Result

from agents.exit_codes import Exit
from console.main import app
from load_tests.services.wait import until
from schemas.audit import AuditEntry
from tests.kafka.grant import grant
from tests.kafka.house import await_records, publish, read
from tests.kafka.test_policies import House
from tests.kafka.test_policies import house as house  # noqa: PLC0414 - a fixture


def typed(house: House, *words: str, code: int = Exit.OK) -> Result:
    broker, policy = house.kafka.bootstrap, str(house.folder / "policy.yaml")
    done = CliRunner().invoke(app, words, env={"TIERWATCH_BROKER": broker, "TIERWATCH_POLICY": policy})
    assert done.exit_code == code, done.output
    return done


def test_customers_are_suspended_by_criteria_and_the_audit_shows_what_was_done_to_it(house: House) -> None:
    now_ms = int(time.time() * 1000)
    customers = [f"c-{number}" for number in range(6)]
    with house.worker() as worker:
        worker.ready()
        silver = next(tier for tier in house.policy.tiers if tier.name == "silver")
        grants = [(name, house.approvers.sign(grant(silver, name, now_ms), silver.approvals)) for name in customers]
        publish(house.kafka, "customer-events", grants)
        await_records(house.kafka.bootstrap, "entitlements", len(customers))
        assert typed(house, "status", "c-1").stdout.startswith("c-1: tier silver")

        who = ("suspend", "--tier", "silver", "--actor", "night-shift", "--reason", "drill")
        assert "6 customers would be suspended; nothing was changed." in typed(house, *who, "--dry-run").stdout
        assert len(read(house.kafka.bootstrap, "customer-events")) == len(customers)
        typed(house, *who)
        until(lambda: len(read(house.kafka.bootstrap, "entitlements")) == 2 * len(customers), "the suspensions")
        assert "0 customers would be suspended" in typed(house, *who, "--dry-run").stdout
        assert "c-1: left out" in typed(house, "suspend", "c-1", *who[3:], "--dry-run").stdout
        no_tier = typed(house, "suspend", "--tier", "silvr", *who[3:], code=Exit.BAD_INPUT).stderr
        assert "silvr is no tier above base" in no_tier
        assert "suspended: the base tier holds" in typed(house, "status", "c-1").stdout
        assert json.loads(typed(house, "status", "c-1", "--json").stdout)["entitlement"]["suspended"]
        assert worker.stop() == 0
    assert "nothing was ever granted" in typed(house, "status", "nobody").stdout
    typed(house, "suspend", "c-1", "--tier", "gold", "--actor", "a", "--reason", "r", code=Exit.BAD_INPUT)

    assert "the chains hold" in typed(house, "audit", "verify").stdout
    entry = next(one for one in read(house.kafka.bootstrap, "audit") if one.key() == b"c-1")
    forged = msgspec.structs.replace(msgspec.json.decode(entry.value() or b"", type=AuditEntry), actor="mallory")
    publish(house.kafka, "audit", [(entry.key(), msgspec.json.encode(forged))])
    told = json.loads(typed(house, "audit", "verify", "--json", code=Exit.MISMATCH).stdout)
    assert [each["partition"] for each in told["breaks"]] == [entry.partition()]
