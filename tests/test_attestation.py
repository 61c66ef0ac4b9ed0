"""Recognition across platforms: whose word counts, for what, for how long, and for whom."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from agents.exit_codes import Exit
from pipeline.policy.load import PolicyError, load_policy
from pipeline.policy.model import Policy
from pipeline.whitelist.attestation import Accepted, accept, revoked_by
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Applied, Refusal, apply
from pipeline.whitelist.transition import Refused
from schemas.attestation import Attestation, AttestedEvidence, Revocation, holder_of, seal
from schemas.reasons import RefusalReason
from schemas.timestamps import MS_PER_DAY, MS_PER_SECOND, format_ms, parse_ms
from tests.grants import decoded
from tests.policy_story import SMALL, private_key
from tests.test_console import tierwatch

DAY = MS_PER_DAY // MS_PER_SECOND
NOW = parse_ms("2026-03-01T12:00:00Z")
NOW_S = NOW // MS_PER_SECOND


def public(name: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(private_key(name)).public_key().public_bytes_raw()
    return base64.b64encode(key).decode()


TERMS = f"""attestations:
  audience: north-bank
  issuers:
    - name: south-bank
      evidence: [identity, source_of_funds]
      max_age: 90d
      revoked: [gone-1]
      keys:
        - {{id: sb-1, key: "{public("sb-1")}", from: 2025-01-01T00:00:00Z, until: 2026-03-01T00:00:00Z}}
        - {{id: sb-2, key: "{public("sb-2")}", from: 2026-02-01T00:00:00Z, until: 2027-03-01T00:00:00Z}}
"""
POLICY = load_policy((SMALL + TERMS).encode())
HOLDER = holder_of("north-bank", "app-1", "c-1")
IDENTITY = AttestedEvidence(kind="identity", issued=NOW_S - 30 * DAY)


def claims(**changes: Any) -> Attestation:  # noqa: ANN401 - claims of any type
    fields: dict[str, Any] = {
        "iss": "south-bank", "aud": "north-bank", "jti": "a-1", "iat": NOW_S - DAY, "exp": NOW_S + 30 * DAY,
        "application": "app-1", "holder": HOLDER, "tier": "gold", "evidence": (IDENTITY,),
    }  # fmt: skip
    return Attestation(**(fields | changes))


def token(key: str = "sb-2", signed_by: str = "", **changes: Any) -> str:  # noqa: ANN401 - the same
    return seal(claims(**changes), private_key(signed_by or key), key)


def reason(text: str, application: str = "app-1", at_ms: int = NOW, policy: Policy = POLICY, **more: Any) -> str:  # noqa: ANN401
    found = accept(text, application, "c-1", policy, at_ms, **more)
    return found.reason.value if isinstance(found, Refused) else "accepted"


def test_the_word_of_a_trusted_platform_stands_in_for_evidence() -> None:
    funds = AttestedEvidence(kind="source_of_funds", issued=NOW_S - 9 * DAY, expires=NOW_S + 5 * DAY)
    found = accept(token(evidence=(IDENTITY, funds)), "app-1", "c-1", POLICY, NOW)
    assert isinstance(found, Accepted)
    assert (found.issuer, found.attestation_id, found.tier) == ("south-bank", "a-1", "gold")
    assert [(one.kind, one.reference, one.issued_ms - NOW, one.expires_ms - NOW) for one in found.evidence] == [
        ("identity", "south-bank/a-1", -30 * MS_PER_DAY, 30 * MS_PER_DAY),
        ("source_of_funds", "south-bank/a-1", -9 * MS_PER_DAY, 5 * MS_PER_DAY),
    ]


def test_it_counts_no_longer_than_the_policy_lets_it() -> None:
    found = accept(token(exp=NOW_S + 300 * DAY), "app-1", "c-1", POLICY, NOW)
    assert isinstance(found, Accepted)
    assert found.evidence[0].expires_ms == NOW - MS_PER_DAY + 90 * MS_PER_DAY


def test_it_says_nothing_about_what_it_is_not_trusted_for() -> None:
    credit = AttestedEvidence(kind="credit", issued=NOW_S - DAY)
    found = accept(token(evidence=(IDENTITY, credit)), "app-1", "c-1", POLICY, NOW)
    assert isinstance(found, Accepted)
    assert [one.kind for one in found.evidence] == ["identity"]
    assert reason(token(evidence=(credit,))) == "no_evidence"
    assert reason(token(evidence=(AttestedEvidence(kind="identity", issued=1, expires=NOW_S),))) == "no_evidence"
    # A check that was made after the issuer spoke of it was not made.
    assert reason(token(evidence=(AttestedEvidence(kind="identity", issued=NOW_S),))) == "no_evidence"


@pytest.mark.parametrize(
    "text,expected",
    [
        (token(iss="east-bank"), "unknown_issuer"),
        (token(aud="west-bank"), "wrong_audience"),
        (token(application="app-2"), "wrong_application"),
        (token(holder=holder_of("north-bank", "app-1", "c-2")), "wrong_customer"),
        (token(holder=holder_of("south-bank", "app-1", "c-1")), "wrong_customer"),
        (token(exp=NOW_S), "evidence_expired"),
        (token("sb-1", iat=NOW_S - 90 * DAY, exp=NOW_S + DAY), "evidence_expired"),
        (token(iat=NOW_S + 301), "evidence_from_the_future"),
        (token(jti="gone-1"), "attestation_revoked"),
        (token(signed_by="mallory"), "bad_signature"),
        (token(signed_by="sb-1"), "bad_signature"),
        (token("sb-3"), "unknown_issuer_key"),
    ],
)  # fmt: skip
def test_what_does_not_count_is_refused_by_name(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_keys_change_with_an_overlap() -> None:
    february, march = NOW_S - 20 * DAY, NOW_S - DAY // 4
    assert reason(token("sb-1", iat=february)) == "accepted"
    assert reason(token("sb-2", iat=february)) == "accepted"
    assert reason(token("sb-1", iat=march)) == "unknown_issuer_key"
    assert reason(token("sb-2", iat=NOW_S - 40 * DAY)) == "unknown_issuer_key"


def test_it_counts_once_and_not_when_it_was_taken_back() -> None:
    assert reason(token(), known={"south-bank/a-1"}) == "attestation_replayed"
    assert reason(token(), known={"south-bank/a-2", "east-bank/a-1"}) == "accepted"
    back = seal(Revocation(iss="south-bank", iat=NOW_S, revoked=("a-1", "a-7")), private_key("sb-2"), "sb-2")
    revoked = revoked_by(back, POLICY)
    assert revoked == frozenset({"south-bank/a-1", "south-bank/a-7"})
    assert reason(token(), revoked=revoked) == "attestation_revoked"


def test_nobody_takes_back_what_another_said() -> None:
    forged = seal(Revocation(iss="south-bank", iat=NOW_S, revoked=("a-1",)), private_key("mallory"), "sb-2")
    refused = revoked_by(forged, POLICY)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.BAD_SIGNATURE


def test_a_policy_without_issuers_trusts_nobody() -> None:
    assert reason(token(), policy=load_policy(SMALL.encode())) == "unknown_issuer"


def _b64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_no_other_algorithm_and_no_other_kind_of_token_is_read() -> None:
    payload = token().split(".")[1]
    kind = '"typ":"tierwatch-attestation+jwt","kid":"sb-2"'
    for algorithm in ("none", "HS256", "RS256"):
        header = _b64(f'{{"alg":"{algorithm}",{kind}}}'.encode())
        assert reason(f"{header}.{payload}.{_b64(b'x' * 64)}") == "bad_signature"
    back = seal(Revocation(iss="south-bank", iat=NOW_S, revoked=("a-1",)), private_key("sb-2"), "sb-2")
    assert reason(back) == "not_an_attestation"
    assert isinstance(revoked_by(token(), POLICY), Refused)


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_changing_any_character_of_a_token_makes_it_count_for_nothing(at: int, other: str) -> None:
    good = token()
    at %= len(good)
    changed = good[:at] + other + good[at + 1 :]

    def bits(text: str) -> tuple[bytes, ...] | None:
        try:
            return tuple(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split("."))
        except ValueError:
            return None

    # The last character of a part carries bits that decoding drops, so another one may say the same.
    assert (reason(changed) == "accepted") == (bits(changed) == bits(good) and reason(changed) == "accepted")
    assert reason(changed) != "accepted" or bits(changed) == bits(good)


@given(st.text(max_size=300) | st.binary(max_size=100).map(_b64))
def test_reading_any_text_gives_a_reason(text: str) -> None:
    assert reason(text) == "not_an_attestation"


def test_nothing_personal_is_in_it() -> None:
    payload = json.loads(base64.urlsafe_b64decode(token().split(".")[1] + "=="))
    assert "c-1" not in payload.values()
    assert set(payload) == {"iss", "aud", "jti", "iat", "exp", "application", "holder", "tier", "evidence"}
    assert set(Attestation.__struct_fields__) == set(payload)


@pytest.mark.parametrize(
    "old,new,said",
    [
        ("identity, source_of_funds", "identity, screening", "expected one of identity, credit, source_of_funds"),
        ("2027-03-01T00:00:00Z", "2026-01-01T00:00:00Z", "the key would never stand"),
        ("id: sb-2", "id: sb-1", "this key id is taken above"),
        ("2025-01-01T00:00:00Z", "yesterday", "expected a time with its offset"),
    ],
)
def test_terms_that_cannot_be_are_refused_where_they_stand(old: str, new: str, said: str) -> None:
    assert old in TERMS
    with pytest.raises(PolicyError) as refused:
        load_policy((SMALL + TERMS.replace(old, new)).encode())
    (problem,) = refused.value.problems
    assert said in problem.message
    assert problem.path.startswith("attestations.issuers[south-bank].")


def test_from_issue_to_verify_to_revoke(tmp_path: Path) -> None:
    key, policy, revocations = tmp_path / "sb.pem", tmp_path / "policy.yaml", tmp_path / "revoked.txt"
    private = Ed25519PrivateKey.from_private_bytes(private_key("sb-2"))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    policy.write_text(SMALL + TERMS)
    us = ("--issuer", "south-bank", "--key-id", "sb-2", "--key", key, "--at", format_ms(NOW))
    to = ("--audience", "north-bank", "--application", "app-1", "--customer", "c-1", "--tier", "gold", "--days", "20")
    times = "2026-02-01T00:00:00Z", "2026-03-15T00:00:00Z"
    issued = tierwatch("attestation", "issue", *us, *to, "--evidence", f"identity={times[0]}..{times[1]}")
    assert issued.returncode == Exit.OK, issued.stderr
    ended = tierwatch("attestation", "issue", *us, *to, "--evidence", f"identity={times[1]}..{times[0]}")
    assert (ended.returncode, "ends before it begins" in ended.stderr) == (Exit.SETTINGS, True)
    attested = issued.stdout.strip()
    jti = msgspec.json.decode(base64.urlsafe_b64decode(attested.split(".")[1] + "=="))["jti"]
    shown = ("--policy", policy, "--at", format_ms(NOW), "--customer", "c-1", "--application")
    good = tierwatch("attestation", "verify", attested, *shown, "app-1", "--json")
    assert json.loads(good.stdout) == {
        "accepted": True, "issuer": "south-bank", "attestation_id": jti, "tier": "gold",
        "evidence": [{"kind": "identity", "issued_at": "2026-02-01T00:00:00.000Z",
                      "expires_at": "2026-03-15T00:00:00.000Z"}],
    }  # fmt: skip
    other = tierwatch("attestation", "verify", attested, *shown, "app-2")
    assert (other.returncode, other.stdout.split(":")[1].strip()) == (Exit.BAD_INPUT, "wrong_application")
    stolen = tierwatch("attestation", "verify", attested, *shown, "app-1", "--customer", "c-2")
    assert (stolen.returncode, stolen.stdout.split(":")[1].strip()) == (Exit.BAD_INPUT, "wrong_customer")
    revocations.write_text(tierwatch("attestation", "revoke", jti, *us).stdout)
    gone = tierwatch("attestation", "verify", attested, *shown, "app-1", "--revocations", revocations)
    assert "attestation_revoked" in gone.stdout
    revocations.write_text("nonsense\n")
    bad = tierwatch("attestation", "verify", attested, *shown, "app-1", "--revocations", revocations)
    assert (bad.returncode, f"{revocations}:1: refused: not_an_attestation" in bad.stderr) == (Exit.BAD_INPUT, True)


def test_an_attestation_is_refused_a_second_time_when_a_check_of_our_own_took_its_place() -> None:
    story = Path(__file__).parent / "scenarios" / "known-at-another-bank"
    policy = load_policy((story / "policy.yaml").read_bytes())
    lines = [json.loads(line)["value"] for line in (story / "given.jsonl").read_bytes().splitlines()]
    number, submitted, good = (line for line in lines if line["event_id"] in {"e-1", "e-2", "e-10"})
    ours = {"event_type": "identity.verified", "event_id": "ours", "reference": "ours", "actor": "desk"}
    ours |= {"method": "video", "document_kind": "passport", "customer_id": "c-1"}
    ours |= {"occurred_at": good["occurred_at"], "issued_at": good["occurred_at"]}
    dossier, reasons = Dossier(), []
    for fields in (number, submitted, good, ours, {**good, "event_id": "again"}):
        event = decoded(fields)
        outcome = apply(event.message, event.fields, dossier, policy, parse_ms(fields["occurred_at"]))
        reasons.append(outcome.reason.value if isinstance(outcome, Refusal) else "")
        dossier = outcome.dossier if isinstance(outcome, Applied) else dossier
    assert reasons == ["", "", "", "", "older_than_known"]
