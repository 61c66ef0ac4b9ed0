"""Every version ever published is read for ever: the samples' bytes are the contract, whatever the types say today."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct

from schemas import codec, dead_letter
from schemas.account_action import AccountAction
from schemas.alert_action import AlertAction
from schemas.application_status import ApplicationStatus
from schemas.audit import AuditEntry
from schemas.call_back import CallBackRequest
from schemas.case import Case, CaseMember
from schemas.case_event import AlertSeen, CaseAbsorbed, CaseHandedOver, CaseSplit, CaseWorked
from schemas.case_key import CaseKey
from schemas.case_page import CasePage
from schemas.dead_letter_action import DeadLetterAction
from schemas.decision import Alert, Decision
from schemas.disposition import Disposition
from schemas.entitlement import Entitlement
from schemas.journal import JournalRecord
from schemas.notification import Notification
from schemas.publish.json_schema import document
from schemas.publish.messages import kinds, published, snake
from schemas.re_review import ReReview
from schemas.signing import verify
from schemas.topics import TOPICS

GOLDEN = Path(__file__).parent.parent / "schemas" / "golden"
SAMPLES = sorted(GOLDEN.glob("*/v*.json"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in SAMPLES]

INCOMING: dict[str, Callable[[bytes], Any]] = {
    "transaction": codec.decode_transaction,
    "customer_event": codec.decode_customer_event,
    "policy_event": codec.decode_policy_event,
    "rate": codec.decode_rate,
    "list_entry": codec.decode_list_entry,
    "entity_label": codec.decode_entity_label,
    "entity_risk": codec.decode_entity_risk,
    "model_file": codec.decode_model_file,
    "disposition": codec.decode_disposition,
}
OUTGOING: dict[str, type[Struct]] = {
    snake(kind): kind
    for kind in (
        *(Decision, Alert, ReReview, CallBackRequest, AccountAction, Entitlement, AuditEntry, JournalRecord),
        *(ApplicationStatus, Notification, Case, CaseMember, CaseKey, CasePage, DeadLetterAction),
        *(AlertAction, AlertSeen, CaseAbsorbed, CaseHandedOver, CaseWorked, CaseSplit),
    )
}  # fmt: skip
# The public halves of the two keys that signed the samples, whose private halves are the bytes 0-31 and 32-63.
KEYS = {
    "priya-1": base64.b64decode("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="),
    "omar-1": base64.b64decode("Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc="),
}


def decode(path: Path) -> Struct | dead_letter.DeadLetter:
    """Read a sample as the house reads what arrives."""
    name, value = path.parent.name, path.read_bytes()
    if name in INCOMING:
        message: Struct = INCOMING[name](value)[0]
        return message
    if name in OUTGOING:
        return msgspec.json.decode(value, type=OUTGOING[name])
    return dead_letter.parse([(header, text.encode()) for header, text in json.loads(value)["headers"]])


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_a_sample_is_read(path: Path) -> None:
    message = decode(path)
    assert message == decode(path)
    if path.stem == "v1-full":
        assert unset(message) == []


def unset(message: Struct | dead_letter.DeadLetter) -> list[str]:
    """Name the fields that a full sample leaves at their defaults."""
    if isinstance(message, dead_letter.DeadLetter):
        return [
            name
            for name, default in dead_letter.DeadLetter._field_defaults.items()
            if getattr(message, name) == default
        ]
    if isinstance(message, Disposition):
        return []  # its two references exclude each other
    optional = [field for field in msgspec.structs.fields(message) if not field.required]
    given = msgspec.to_builtins(message)
    own = {"original_transaction_id", "original_occurred_at"}  # of reversals, which have a sample of their own
    return [field.name for field in optional if field.encode_name not in given and field.name not in own]


@pytest.mark.parametrize(
    "path", [path for path in SAMPLES if path.parent.name in OUTGOING], ids=lambda path: path.parent.name
)
def test_what_we_publish_is_written_again_byte_for_byte(path: Path) -> None:
    message = decode(path)
    assert isinstance(message, Struct)
    assert codec.encode(message) == path.read_bytes()


@pytest.mark.parametrize(
    "path", [path for path in SAMPLES if b'"signature"' in path.read_bytes()], ids=lambda path: path.stem
)
def test_signatures_of_samples_stay_valid(path: Path) -> None:
    fields = INCOMING[path.parent.name](path.read_bytes()).fields
    signatures = [fields["signature"], *fields.get("countersignatures", [])]
    assert all(verify(KEYS[one["key_id"]], fields, one["value"]) for one in signatures)
    assert not any(verify(KEYS[one["key_id"]], {**fields, "actor": "mallory"}, one["value"]) for one in signatures)


def test_every_message_has_a_minimal_and_a_full_sample() -> None:
    messages = [decode(path) for path in SAMPLES]
    seen = [type(message) for message in messages]
    assert {kind for kind in published() if seen.count(kind) < 2} == set()
    assert seen.count(dead_letter.DeadLetter) >= 2


@pytest.mark.parametrize(
    "path", [path for path in SAMPLES if path.parent.name != "dead_letter"], ids=lambda path: path.stem
)
def test_samples_fit_the_published_schema(path: Path) -> None:
    schema = document(type(decode(path)))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(path.read_bytes()))


def test_dead_letter_headers_round_trip() -> None:
    for path in SAMPLES:
        if path.parent.name == "dead_letter":
            headers = [(name, text.encode()) for name, text in json.loads(path.read_bytes())["headers"]]
            assert list(dead_letter.headers(dead_letter.parse(headers))) == headers


def test_headers_that_are_no_dead_letter_say_what_is_missing() -> None:
    with pytest.raises(ValueError, match="no header topic, partition, offset, tw_first_arrival"):
        dead_letter.parse([("reason", b"not_json")])


def test_every_topic_but_the_dead_letters_names_its_messages() -> None:
    assert [name for name, topic in TOPICS.items() if not kinds(topic)] == ["dead-letters"]
