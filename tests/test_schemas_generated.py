"""What is generated is committed, current and valid."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import generate
from schemas.codec import Undecodable, decode_transaction
from schemas.publish.json_schema import document
from schemas.reasons import DeadLetterReason, RefusalReason
from schemas.topics import JOURNAL_RETENTION_MS, TOPICS, changelog_config
from schemas.transaction import TRANSACTION_TYPES, Transaction
from tests.services.asyncapi import Parser


def test_generated_files_are_current() -> None:
    assert generate.stale() == []


def test_stale_files_are_found_and_mended(tmp_path: Path) -> None:
    assert generate.stale(tmp_path) == sorted(generate.generated())
    generate.write(tmp_path)
    assert generate.stale(tmp_path) == []
    (tmp_path / "schemas/json/transaction.json").write_text("{}")
    (tmp_path / "schemas/json/gone.json").write_text("{}")
    assert generate.stale(tmp_path) == ["schemas/json/gone.json", "schemas/json/transaction.json"]
    generate.write(tmp_path)
    assert generate.stale(tmp_path) == []


def test_the_reference_parser_accepts_the_document(asyncapi_parser: Parser) -> None:
    text = generate.generated()["schemas/asyncapi.yaml"]
    verdict = asyncapi_parser(text)
    assert verdict["parsed"]
    assert [remark for remark in verdict["diagnostics"] if remark["severity"] < 2] == []
    broken = yaml.safe_load(text)
    broken["channels"]["alerts"]["messages"]["Alert"] = {"$ref": "#/components/messages/Nowhere"}
    assert not asyncapi_parser(json.dumps(broken))["parsed"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.fixed_dictionaries(
    {
        "transaction_id": st.text(max_size=3) | JSON,
        "customer_id": st.just("c"),
        "occurred_at": st.text(max_size=70),
        # One below zero is read, and refused with a reason of its own.
        "amount": st.integers(min_value=0) | JSON.filter(lambda amount: not isinstance(amount, int) or amount >= 0),
        "currency": st.text("ABC", min_size=2, max_size=4),
        "transaction_type": st.sampled_from(TRANSACTION_TYPES) | JSON,
    },
    optional={"location": JSON | st.just({"lat": 1, "lon": 2, "z": 3}), "x": JSON, "status": JSON},
)


@given(fields=FIELDS)
def test_what_the_codec_reads_fits_the_published_schema(fields: dict[str, object]) -> None:
    try:
        decode_transaction(json.dumps(fields).encode())
    except Undecodable:
        return
    VALIDATOR.validate(fields)


VALIDATOR = Draft202012Validator(document(Transaction))


@pytest.mark.parametrize("reason", [*DeadLetterReason, *RefusalReason])
def test_every_reason_has_a_meaning(reason: DeadLetterReason | RefusalReason) -> None:
    assert reason.meaning.endswith(".")
    assert reason.value == reason.name.lower()


def test_duplicates_and_masked_letters_are_never_replayed() -> None:
    assert not DeadLetterReason.CONFLICTING_DUPLICATE.replayable
    assert not DeadLetterReason.TOO_LATE_TO_DEDUPLICATE.replayable
    assert not DeadLetterReason.CARD_NUMBER.replayable
    assert DeadLetterReason.CRASHED.replayable


def test_history_keeps_old_records_under_their_own_time() -> None:
    for topic in TOPICS.values():
        assert topic.config(history=True)["message.timestamp.type"] == "CreateTime"
        assert topic.config(history=True)["retention.ms"] == "-1"
    assert TOPICS["transactions"].config()["message.timestamp.type"] == "LogAppendTime"


def test_nothing_is_compacted_before_the_journal_has_forgotten_it() -> None:
    compacted = [changelog_config(), *(topic.config() for topic in TOPICS.values() if topic.compacted)]
    assert all(int(config["min.compaction.lag.ms"]) >= JOURNAL_RETENTION_MS for config in compacted)
    assert TOPICS["policies"].config()["cleanup.policy"] == "delete"
    inputs = (TOPICS[name] for name in ("transactions", "transactions-priority", "customer-events"))
    assert all(topic.retention_ms == -1 or topic.retention_ms >= JOURNAL_RETENTION_MS for topic in inputs)
