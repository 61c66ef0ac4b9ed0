"""A small policy with people who sign, and a book that is told what they do to it."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.json import encode

from pipeline.policy.book import SETTLE_MS, PolicyBook
from pipeline.policy.load import load_policy, policy_digest
from pipeline.policy.proposals import Refusal
from schemas.codec import Decoded, decode_policy_event
from schemas.policy_event import PolicyEvent
from schemas.reasons import RefusalReason as Reason
from schemas.signing import sign
from schemas.timestamps import format_ms, parse_ms

NOW = parse_ms("2026-03-01T12:00:00Z")
SMALL = (Path(__file__).parent / "policies" / "small.yaml").read_text()
ROLES = {"ana": "risk", "ben": "risk", "cleo": "risk", "dan": "desk"}


def private_key(person: str) -> bytes:
    return blake2b(person.encode(), digest_size=32).digest()


def yaml(version: int, *, approvals: int = 2, without: str = "", swap: tuple[str, str] = ("", "")) -> str:
    """The small policy with four people, of whom three may approve; `swap` replaces one text by another."""
    text = SMALL.replace("version: 1", f"version: {version}").replace(
        "policy_approvals: 1", f"policy_approvals: {approvals}"
    )
    people = "people:\n"
    for name, role in ROLES.items():
        if name != without:
            key = Ed25519PrivateKey.from_private_bytes(private_key(name)).public_key().public_bytes_raw()
            people += f"  - {{name: {name}, roles: [{role}], keys: {{{name}-1: {encode(key).decode()}}}}}\n"
    text = text[: text.index("people:\n")] + people + text[text.index("tiers:\n") :]
    assert swap[0] in text
    return text.replace(*swap) if swap[0] else text


def digest(text: str) -> str:
    return policy_digest(text.encode())


class Story:
    """A book and its clock; each call publishes one event through the real codec with a real signature."""

    def __init__(self, first: str | None = None) -> None:
        self.first = yaml(1) if first is None else first
        self.book = PolicyBook(load_policy(self.first.encode()))
        self.now_ms = NOW
        self.published: list[tuple[Decoded[PolicyEvent], int]] = []
        self.refusal: Refusal | None = None

    def publish(self, event_type: str, actor: str, **fields: Any) -> Reason | None:  # noqa: ANN401 - any JSON
        """Publish an event; the reason of its refusal, if any. `signed_by` and `tampered` make it a bad one."""
        signed_by, tampered = fields.pop("signed_by", actor), fields.pop("tampered", {})
        event = {
            "event_type": event_type,
            "event_id": f"e-{len(self.published)}",
            "policy": "small",
            "occurred_at": format_ms(self.now_ms),
            "actor": actor,
            **fields,
        }
        event["signature"] = {"key_id": f"{actor}-1", "value": sign(private_key(signed_by), event)}
        return self.take(decode_policy_event(encode({**event, **tampered})), self.now_ms)

    def take(self, event: Decoded[PolicyEvent], arrival_ms: int) -> Reason | None:
        self.published.append((event, arrival_ms))
        self.refusal = self.book.apply(event.message, event.fields, arrival_ms)
        return None if self.refusal is None else self.refusal.reason

    def propose(self, actor: str, text: str, base: str | None = None, **fields: Any) -> Reason | None:  # noqa: ANN401
        version = int(text.split("version: ")[1].partition("\n")[0])
        fields = {"version": version, "yaml": text, "base_digest": digest(base or self.first), **fields}
        return self.publish("policy.proposed", actor, **fields)

    def approve(self, actor: str, text: str, at_ms: int | None = None, **fields: Any) -> Reason | None:  # noqa: ANN401
        effective = format_ms(self.now_ms if at_ms is None else at_ms)
        return self.publish("policy.approved", actor, digest=digest(text), effective_from=effective, **fields)

    def reject(self, actor: str, text: str) -> Reason | None:
        return self.publish("policy.rejected", actor, digest=digest(text))

    def roll_back(self, actor: str, text: str) -> Reason | None:
        effective = format_ms(self.now_ms)
        return self.publish("policy.rolled_back", actor, digest=digest(text), effective_from=effective)

    def enact(self, text: str, base: str) -> None:
        """Take a version through, and wait until it is in force."""
        assert self.propose("dan", text, base) is None
        assert self.approve("ana", text) is None
        assert self.approve("ben", text) is None
        self.now_ms += SETTLE_MS

    @property
    def version(self) -> int:
        return self.book.in_force(self.now_ms).version
