"""What a risk officer types: a policy proposed, approved, refused, in force and rolled back, no worker restarted."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from agents.exit_codes import Exit
from console.main import app
from load_tests.services.wait import until
from pipeline.policy.load import load_policy
from tests.kafka.house import await_records, payment, publish, publish_payments
from tests.kafka.test_policies import House, decision
from tests.kafka.test_policies import house as house  # noqa: PLC0414 - a fixture


class Officers:
    """The house's people at their command lines, each with a key of their own."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.names = list(house.approvers.public_keys())
        self.keys = {name: folder / f"{name}.pem" for name in [*self.names, "stranger"]}
        for name, file in self.keys.items():
            key = house.approvers._keys.get(name) or Ed25519PrivateKey.generate()
            file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.chmod(0o600)

    def type(self, *words: str | Path, who: str = "", code: int = Exit.OK, command: str = "policy") -> Result:
        signed: list[str | Path] = ["--key", self.keys[who]] if who else []
        if who and words[0] in ("propose", "approve", "rollback"):
            signed.append("--yes")
        broker, policy = self.house.kafka.bootstrap, str(self.house.folder / "policy.yaml")
        done = CliRunner().invoke(
            app,
            [command, *map(str, words), *map(str, signed)],
            env={"TIERWATCH_BROKER": broker, "TIERWATCH_POLICY": policy},
        )
        assert done.exit_code == code, done.output
        return done


@pytest.fixture
def officers(house: House, tmp_path: Path) -> Officers:
    return Officers(house, tmp_path)


def test_a_policy_is_proposed_approved_adopted_and_rolled_back_without_a_restart(officers: Officers) -> None:
    house, (ana, ben, cleo) = officers.house, officers.names
    new = house.folder / "new.yaml"
    text = house.yaml.replace(b"version: 1 ", b"version: 2 ", 1).replace(b"amount_day: 30000", b"amount_day: 29000")
    new.write_bytes(text)
    digest = load_policy(text).digest
    with house.worker() as worker:
        worker.ready()
        assert "In force: default version 1" in officers.type("show").stdout
        said = officers.type("propose", new, who=ana).stdout
        assert "gold: amount_day 30,000.00 -> 29,000.00 USD" in said
        assert f"tierwatch policy approve {digest[:12]}" in said

        assert "own_proposal" in officers.type("approve", "2", who=ana, code=Exit.REFUSED).stdout
        assert "missing for version 2: 1." in officers.type("approve", "2", who=ben).stdout
        twice = officers.type("approve", "2", "--json", who=ben, code=Exit.REFUSED).stdout
        assert json.loads(twice)["reason"] == "same_person_twice"
        assert (
            "is nobody's in the policy in force"
            in officers.type("approve", "2", who="stranger", code=Exit.BAD_INPUT).stderr
        )
        (waiting,) = json.loads(officers.type("show", "--json").stdout)["proposals"]
        assert (waiting["digest"], waiting["signed"], waiting["missing"]) == (digest, [ben], 1)

        assert "takes effect at" in officers.type("approve", digest[:12], who=cleo).stdout
        until(lambda: worker.metric("tierwatch_policy_info", version="2") == 1, "version 2", seconds=60)
        assert officers.type("show", "--yaml").stdout.encode() == text

        officers.type("rollback", "1", who=ana)
        assert "takes effect at" in officers.type("rollback", "1", who=cleo).stdout
        until(lambda: worker.metric("tierwatch_policy_info", version="1") == 1, "version 1 again", seconds=15)
        assert worker.stop() == 0
    lines = officers.type("history").stdout.splitlines()
    assert [line.split()[1] for line in lines] == [
        "policy.initial", "policy.proposed", *["policy.approved"] * 4, *["policy.rolled_back"] * 2,
    ]  # fmt: skip
    assert sum("refused" in line for line in lines) == 2
    told = [json.loads(line) for line in officers.type("history", "--json").stdout.splitlines()]
    audited = await_records(house.kafka.bootstrap, "audit", len(told))
    assert told == [json.loads(message.value() or b"") for message in audited]


def test_a_stale_proposal_and_a_rejected_one_are_refused(officers: Officers) -> None:
    house, (ana, ben, cleo) = officers.house, officers.names
    files = []
    for version in (2, 3):
        files.append(house.folder / f"{version}.yaml")
        files[-1].write_bytes(house.yaml.replace(b"version: 1 ", b"version: %d " % version, 1))
        officers.type("propose", files[-1], who=ana)
    officers.type("approve", "2", who=ben)
    officers.type("approve", "2", who=cleo)
    assert "stale_policy" in officers.type("approve", "3", who=ben, code=Exit.REFUSED).stdout
    assert "stale: propose it anew" in officers.type("show").stdout
    assert "Rejected" in officers.type("reject", "3", who=ana).stdout
    digest = load_policy(files[1].read_bytes()).digest
    assert "already_decided" in officers.type("approve", digest, who=ben, code=Exit.REFUSED).stdout
    assert "no version 4 is known" in officers.type("approve", "4", who=ben, code=Exit.BAD_INPUT).stderr


def test_customers_touched_are_counted_from_what_is_in_force_for_them(officers: Officers) -> None:
    house = officers.house
    tier, grant = house.highest_grant()
    with house.worker() as worker:
        worker.ready()
        publish(house.kafka, "customer-events", [("c-1", house.approvers.sign(grant, tier.approvals))])
        await_records(house.kafka.bootstrap, "entitlements", 1)
        assert worker.stop() == 0
    new = house.folder / "new.yaml"
    new.write_bytes(house.yaml.replace(b"amount_30d: 500000", b"amount_30d: 600000"))
    said = officers.type("diff", house.folder / "policy.yaml", new, "--touches", "kafka").stdout
    assert said.splitlines()[-1] == f"touches 1 customer: {tier.name} 1"


def test_glass_is_broken_by_one_mended_and_reviewed_by_another(officers: Officers) -> None:
    house, (ana, ben, _) = officers.house, officers.names
    house.yaml = house.yaml.replace(b"break_glass_roles: [on_call]", b"break_glass_roles: [risk_officer]")
    (house.folder / "policy.yaml").write_bytes(house.yaml)
    why = ("--reason", "twice as many alerts")
    with house.worker() as worker:
        worker.ready()
        said = officers.type("break-glass", "--rule", "amount_per_transaction", "--for", "30m", *why, who=ana).stdout
        assert "Broken: amount_per_transaction in shadow, from " in said
        event = said.split("mend-glass ")[1].split("`")[0]
        until(lambda: worker.metric("tierwatch_break_glass_active") == 1, "the broken glass", seconds=30)
        publish_payments(house.kafka, [payment(1, "c-1", amount=10**7)])
        (decided,) = await_records(house.kafka.bootstrap, "decisions", 1)
        modes = {each.rule: each.mode for each in decision(decided.value() or b"").signals}
        assert (modes["amount_per_transaction"], modes["amount_1h"]) == ("shadow", "live")
        assert "glass_not_over" in officers.type(
            "review-glass", event, "--finding", "justified", *why, who=ben, code=Exit.REFUSED
        ).stdout  # fmt: skip
        officers.type("mend-glass", event, who=ben)
        until(lambda: worker.metric("tierwatch_break_glass_unreviewed") == 1, "the review that is due", seconds=30)
        assert f"Glass broken by {ana}" in officers.type("show").stdout
        officers.type("review-glass", event, "--finding", "justified", *why, who=ben)
        until(lambda: worker.metric("tierwatch_break_glass_unreviewed") == 0, "the review", seconds=30)
        assert worker.stop() == 0
    assert "Glass" not in officers.type("show").stdout
