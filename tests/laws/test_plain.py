"""What is written without being built, or read without being asked, is the same as if it had been."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import Decoder

from pipeline.cards import may_hold_card
from pipeline.glance import suspects
from pipeline.plain import Names
from pipeline.record import InputRecord
from pipeline.validate import Intake
from schemas.codec import encode
from schemas.decision import Decision
from schemas.timestamps import format_ms, parse_ms
from schemas.transaction import TRANSACTION_TYPES, Transaction
from tests.laws.judging_bench import Bench
from tests.laws.judging_steps import policy_text

PLAIN = policy_text("UTC", "plain")
ARRIVED_MS = parse_ms("2026-09-01T12:00:00Z")
# All that ids may hold, quotes and backslashes above all.
characters = st.one_of(st.sampled_from('"\\/é€𝄞'), st.characters(exclude_categories=["Cc", "Cs"]))
ids = st.text(characters, min_size=1, max_size=20)
read = Decoder(Decision).decode


@given(
    st.tuples(ids, ids, ids), st.sampled_from((0, 1, 200, 86_400_000)), st.sampled_from(("text", "escapes", "header"))
)
def test_a_plain_decision_is_the_bytes_of_a_decision(names: tuple[str, str, str], late_ms: int, form: str) -> None:
    transaction_id, source, customer_id = names
    occurred_at = format_ms(ARRIVED_MS - late_ms)
    fields: dict[str, Any] = {"transaction_id": transaction_id, "customer_id": customer_id, "occurred_at": occurred_at}
    fields |= {"amount": 0, "currency": "USD", "transaction_type": "purchase"}
    fields |= {} if form == "header" else {"source": source}
    value = json.dumps(fields, ensure_ascii=form == "escapes").encode()
    headers = (("ce_source", source.encode()),) if form == "header" else ()
    record = InputRecord("transactions", 0, 0, ARRIVED_MS, customer_id.encode(), value, headers)
    (message,) = Bench(PLAIN, {}).take([record])
    assert message.topic == "decisions"
    decision = read(message.value or b"")
    assert encode(decision) == message.value
    assert (decision.transaction_id, decision.source, decision.customer_id) == names
    assert (decision.occurred_at, decision.arrived_at) == (occurred_at, format_ms(ARRIVED_MS))


@given(st.lists(st.tuples(ids, ids, ids), min_size=2, max_size=4, unique=True))
def test_no_two_transactions_share_the_id_of_a_decision(triples: list[tuple[str, str, str]]) -> None:
    named = [Names(source, customer_id).decision_id(own) for source, own, customer_id in triples]
    assert len({*named}) == len(triples)
    assert all(name.endswith(own) for name, (_, own, _) in zip(named, triples, strict=True))


@given(st.data())
def test_an_intake_holds_each_field_under_its_own_name(data: st.DataObject) -> None:
    names = [name for name, of in Transaction.__annotations__.items() if name not in {"amount", "location"}]
    told: dict[str, Any] = {name: f"{name} {data.draw(st.integers(0, 9))}" for name in names}
    told |= {"transaction_type": data.draw(st.sampled_from(TRANSACTION_TYPES)), "status": "authorised"}
    intake = Intake(Transaction(amount=7, **told), "standard", 0, 0)
    kept = [name for name in names if hasattr(intake, name)]
    assert {name: getattr(intake, name) for name in kept} == {name: told[name] for name in kept}
    assert intake.amount_minor == 7
    assert len(kept) > 12


pieces = st.sampled_from([b"4111", b"11", b"1", b" ", b"-", b"\\", b"\x7f", b"\0", b"\xc2\xa0", b'","', b"a", b":"])


@given(st.lists(st.lists(pieces, max_size=9).map(b"".join), max_size=80), st.integers(0, 200), st.integers(0, 200))
def test_a_glance_overlooks_nothing(values: list[bytes], before: int, after: int) -> None:
    dull = [b'{"amount":1}'] * 200
    found = suspects(dull[:before] + values + dull[:after])
    odd = {place for place, value in enumerate(values) if may_hold_card(value) or b"\x7f" in value}
    assert {place + before for place in odd} <= found
    # And it spares whoever needs no closer look, where there are enough to look at.
    assert before + after < 64 or len(found) <= len(values) + 64
