"""The life of a policy told as events: who may change it, when it takes effect, and what is refused by which name."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.json import encode

from pipeline.policy.book import SETTLE_MS, PolicyBook
from pipeline.policy.load import default_yaml, load_policy, policy_digest
from pipeline.policy.proposals import Refusal
from schemas.codec import Decoded, decode_policy_event
from schemas.policy_event import PolicyEvent
from schemas.reasons import RefusalReason as Reason
from schemas.signing import sign
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms

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


@pytest.fixture
def story() -> Story:
    return Story()


def test_two_people_beside_the_proposer_change_the_policy_five_seconds_later(story: Story) -> None:
    new = yaml(2)
    assert story.propose("ana", new) is None
    assert story.approve("ben", new) is None
    story.now_ms += 60_000
    assert story.version == 1
    assert story.approve("cleo", new) is None
    assert story.book.in_force(story.now_ms + SETTLE_MS - 1).version == 1
    assert story.book.in_force(story.now_ms + SETTLE_MS).digest == digest(new)


def test_it_takes_effect_at_the_latest_date_given(story: Story) -> None:
    new = yaml(2)
    story.propose("ana", new)
    story.approve("ben", new, NOW + MS_PER_DAY)
    story.approve("cleo", new, NOW + 60_000)
    assert story.book.in_force(NOW + MS_PER_DAY - 1).version == 1
    assert story.book.in_force(NOW + MS_PER_DAY).version == 2


def test_the_proposer_does_not_count(story: Story) -> None:
    new = yaml(2)
    story.propose("ana", new)
    assert story.approve("ana", new) is Reason.OWN_PROPOSAL
    assert story.approve("ben", new) is None
    story.now_ms += SETTLE_MS
    assert story.version == 1


def test_one_hand_does_not_count_twice(story: Story) -> None:
    new = yaml(2)
    story.propose("dan", new)
    assert story.approve("ben", new) is None
    assert story.approve("ben", new) is Reason.SAME_PERSON_TWICE
    assert story.approve("cleo", new, signed_by="ben") is Reason.BAD_SIGNATURE
    story.now_ms += SETTLE_MS
    assert story.version == 1


def test_only_the_role_may_approve_or_reject_and_only_people_may_propose(story: Story) -> None:
    new = yaml(2)
    assert story.propose("mallory", new) is Reason.UNKNOWN_PERSON
    assert story.propose("ana", new) is None
    assert story.approve("dan", new) is Reason.NOT_AUTHORISED
    assert story.reject("dan", new) is Reason.NOT_AUTHORISED


def test_what_was_changed_after_signing_is_refused(story: Story) -> None:
    new, other = yaml(2), yaml(2, approvals=1)
    assert story.propose("ana", new, tampered={"yaml": other}) is Reason.BAD_SIGNATURE
    assert story.propose("ana", new, tampered={"seen_by": "mallory"}) is Reason.BAD_SIGNATURE
    assert story.propose("ana", new, tampered={"signature": {"key_id": "ana-2", "value": "A" * 86 + "=="}}) is (
        Reason.UNKNOWN_KEY
    )
    assert story.propose("ana", new) is None


def test_a_repeated_event_changes_nothing(story: Story) -> None:
    new = yaml(2)
    story.propose("dan", new)
    story.approve("ben", new)
    once = story.published[-1][0]
    assert story.book.has(once.message)
    assert story.take(once, story.now_ms) is None
    assert story.take(once, story.now_ms + 1) is None
    story.now_ms += SETTLE_MS
    assert story.version == 1
    assert story.approve("cleo", new, event_id=once.message.event_id) is Reason.ALREADY_APPLIED
    assert story.approve("cleo", new) is None


def test_a_refused_event_cannot_be_published_again_by_others_when_times_have_changed(story: Story) -> None:
    new = yaml(2)
    assert story.approve("ben", new) is Reason.UNKNOWN_PROPOSAL
    too_early = story.published[-1][0]
    story.propose("dan", new)
    story.approve("ana", new)
    assert story.take(too_early, story.now_ms) is None
    story.now_ms += SETTLE_MS
    assert story.version == 1


def test_an_event_without_a_valid_signature_spends_no_id(story: Story) -> None:
    new = yaml(2)
    assert story.propose("ana", new, signed_by="mallory", event_id="taken") is Reason.BAD_SIGNATURE
    assert story.propose("ana", new, event_id="taken") is None


@pytest.mark.parametrize(
    "text,reason,detail",
    [
        (yaml(2, swap=("fee_bps: 50", "fee_bps: 500")), Reason.INVALID_POLICY, "57:14 tiers[gold].fee_bps: rises"),
        (yaml(2, swap=("base_currency: USD", "base_currency: EUR")), Reason.BASE_CURRENCY_CHANGED, "from USD to EUR"),
        (yaml(2, swap=("name: small", "name: tiny")), Reason.UNKNOWN_POLICY, "the YAML names it tiny"),
        (yaml(1, approvals=1), Reason.VERSION_NOT_NEXT, "version 1 is not above 1"),
        ("version: 2\n", Reason.INVALID_POLICY, "; and 10 more"),
    ],
    ids=["invalid", "currency", "name", "version", "nothing"],
)  # fmt: skip
def test_a_proposal_that_cannot_be_is_refused_with_what_to_mend(text: str, reason: Reason, detail: str) -> None:
    story = Story()
    assert story.propose("ana", text) is reason
    assert story.refusal is not None
    assert detail in story.refusal.detail
    assert story.approve("ben", text) is Reason.UNKNOWN_PROPOSAL


def test_the_version_said_must_be_the_version_meant(story: Story) -> None:
    assert story.propose("ana", yaml(2), version=3) is Reason.INVALID_POLICY


def test_the_policy_is_known_by_its_name(story: Story) -> None:
    assert story.propose("ana", yaml(2), policy="large") is Reason.UNKNOWN_POLICY


def test_an_event_from_the_future_is_refused(story: Story) -> None:
    late = format_ms(NOW + 5 * 60_000 + 1)
    assert story.propose("ana", yaml(2), occurred_at=late) is Reason.FROM_THE_FUTURE


def test_a_proposal_is_stale_once_another_is_approved(story: Story) -> None:
    second, third = yaml(2), yaml(3)
    story.propose("ana", third)
    story.approve("ben", third)
    story.enact(second, story.first)
    assert story.approve("cleo", third) is Reason.STALE_POLICY
    assert story.propose("ana", yaml(4), base=story.first) is Reason.STALE_POLICY
    assert story.propose("ana", yaml(4), base=second) is None


def test_a_decided_proposal_stays_decided(story: Story) -> None:
    new = yaml(2)
    story.propose("ana", new)
    assert story.reject("ben", new) is None
    assert story.approve("cleo", new) is Reason.ALREADY_DECIDED
    assert story.propose("ana", new) is Reason.ALREADY_DECIDED
    other = yaml(3)
    story.propose("ana", other)
    assert story.reject("ana", other) is None
    enacted = yaml(4)
    story.enact(enacted, story.first)
    assert story.reject("cleo", enacted) is Reason.ALREADY_DECIDED


def test_rolling_back_takes_the_same_signatures_and_seconds(story: Story) -> None:
    second = yaml(2)
    story.enact(second, story.first)
    assert story.version == 2
    assert story.roll_back("dan", story.first) is Reason.NOT_AUTHORISED
    assert story.roll_back("ana", story.first) is None
    assert story.roll_back("ana", story.first) is Reason.SAME_PERSON_TWICE
    story.now_ms += SETTLE_MS
    assert story.version == 2
    assert story.roll_back("ben", story.first) is None
    story.now_ms += SETTLE_MS
    assert story.version == 1
    assert story.propose("ana", yaml(2, approvals=1), base=story.first) is Reason.VERSION_NOT_NEXT
    story.enact(yaml(3), story.first)
    assert story.version == 3


def test_only_what_was_in_force_can_be_gone_back_to(story: Story) -> None:
    assert story.roll_back("ana", yaml(2)) is Reason.NEVER_APPROVED
    assert story.roll_back("ana", story.first) is Reason.ALREADY_DECIDED
    later, sooner = yaml(2), yaml(3)
    story.propose("dan", later)
    story.approve("ana", later, NOW + MS_PER_DAY)
    story.approve("ben", later, NOW + MS_PER_DAY)
    story.enact(sooner, later)
    assert story.book.in_force(NOW + 2 * MS_PER_DAY).version == 3
    assert story.roll_back("ana", later) is Reason.NEVER_APPROVED


def test_going_back_cancels_what_was_to_begin_later(story: Story) -> None:
    later = yaml(2)
    story.propose("dan", later)
    story.approve("ana", later, NOW + MS_PER_DAY)
    story.approve("ben", later, NOW + MS_PER_DAY)
    assert story.roll_back("ana", story.first) is None
    assert story.roll_back("cleo", story.first) is None
    assert story.book.in_force(NOW + 2 * MS_PER_DAY).version == 1


def test_signatures_for_going_back_do_not_outlive_the_version_gone_back_from(story: Story) -> None:
    second, third = yaml(2), yaml(3)
    story.enact(second, story.first)
    story.roll_back("ana", story.first)
    story.enact(third, second)
    assert story.roll_back("ben", story.first) is None
    story.now_ms += SETTLE_MS
    assert story.version == 3


def test_who_has_left_no_longer_counts(story: Story) -> None:
    """Ana signs the third version while the second, which no longer lists her, has yet to take effect."""
    second, third = yaml(2, without="ana"), yaml(3)
    story.propose("dan", second)
    story.approve("ben", second, NOW + 60_000)
    story.approve("cleo", second, NOW + 60_000)
    assert story.propose("dan", third, second) is None
    assert story.approve("ana", third) is None
    story.now_ms += 60_000
    assert story.version == 2
    assert story.approve("ana", third) is Reason.UNKNOWN_PERSON
    assert story.approve("ben", third) is None
    story.now_ms += SETTLE_MS
    assert story.version == 2
    assert story.approve("cleo", third) is None
    story.now_ms += SETTLE_MS
    assert story.version == 3


def test_a_policy_without_people_can_change_nothing() -> None:
    story = Story(default_yaml().decode())
    assert story.propose("ana", yaml(2), policy="default") is Reason.UNKNOWN_PERSON


def test_workers_that_began_with_another_file_are_found_out(story: Story) -> None:
    def initial(text: str) -> Decoded[PolicyEvent]:
        event = {"event_type": "policy.initial", "event_id": "w", "policy": "small", "occurred_at": format_ms(NOW),
                 "actor": "worker", "version": 1, "digest": digest(text)}  # fmt: skip
        return decode_policy_event(encode(event))

    assert story.take(initial(story.first), NOW) is None
    assert story.take(initial(yaml(1, approvals=1)), NOW) is Reason.UNKNOWN_POLICY
    assert story.version == 1


def test_the_same_events_give_the_same_book(story: Story) -> None:
    second = yaml(2)
    story.enact(second, story.first)
    story.roll_back("ana", story.first)
    story.roll_back("ben", story.first)
    again = PolicyBook(load_policy(story.first.encode()))
    for event, arrival_ms in story.published:
        again.apply(event.message, event.fields, arrival_ms)
    for arrival_ms in range(NOW - SETTLE_MS, NOW + 4 * SETTLE_MS, 500):
        assert again.in_force(arrival_ms).digest == story.book.in_force(arrival_ms).digest
    assert {again.in_force(at).version for at in range(NOW, NOW + 4 * SETTLE_MS, 500)} == {1, 2}


def test_a_policy_that_would_be_quiet_about_what_is_to_come_is_refused() -> None:
    story = Story()

    def warm(version: int, at_ms: int) -> str:
        return yaml(version, swap=("zone: UTC", f"zone: UTC\nwarm_until: {format_ms(at_ms)}"))

    assert story.propose("ana", warm(2, story.now_ms + 1)) is Reason.INVALID_POLICY
    assert story.refusal is not None
    assert "warm_until is ahead" in story.refusal.detail
    assert story.propose("ana", warm(3, story.now_ms)) is None
