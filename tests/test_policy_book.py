"""The life of a policy told as events: who may change it, when it takes effect, and what is refused by which name."""

import pytest
from msgspec.json import encode

from pipeline.policy.book import SETTLE_MS, PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from schemas.codec import Decoded, decode_policy_event
from schemas.policy_event import PolicyEvent
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.policy_story import NOW, Story, digest, yaml


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
