"""The simulated city: the same arguments give the same bytes, and everything it promises is in its day."""

import json
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from msgspec.structs import replace

from agents.settings import DEFAULT_POLICY
from load_tests.city import Approvers, City, Event, trusting_policy
from load_tests.city.lives import STORIES, lives
from load_tests.city.mint import Mint
from load_tests.city.score import Score
from load_tests.city.tricks import TRICKS
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from schemas.application_event import ApplicationSubmitted
from schemas.codec import Undecodable, decode_customer_event, decode_rate, decode_transaction
from schemas.customer_event import AdmissionApproved
from schemas.reasons import DeadLetterReason
from schemas.signing import verify
from schemas.timestamps import MS_PER_DAY, parse_ms
from schemas.topics import TRANSACTION_TOPICS

START_MS = parse_ms("2026-11-21T00:42:00Z")
TRANSACTIONS = 4_000


@pytest.fixture(scope="module")
def trusting() -> Policy:
    text = DEFAULT_POLICY.read_bytes()
    return load_policy(trusting_policy(text, Approvers(load_policy(text), 1)))


def day(policy: Policy, seed: int = 1, start_ms: int = START_MS) -> list[Event]:
    city = City(policy, Approvers(policy, seed), seed=seed, start_ms=start_ms, transactions=TRANSACTIONS)
    return [*city.rates(), *city.opening(), *city.days(start_ms + MS_PER_DAY)]


@pytest.fixture(scope="module")
def events(trusting: Policy) -> list[Event]:
    return day(trusting)


@pytest.fixture(scope="module")
def transactions(events: list[Event]) -> list[Event]:
    return [event for event in events if event.topic in TRANSACTION_TOPICS]


def test_the_same_arguments_give_the_same_bytes(trusting: Policy, events: list[Event]) -> None:
    assert day(trusting) == events


def test_another_seed_is_another_city(trusting: Policy, events: list[Event]) -> None:
    ours = {event.value for event in events if event.transaction_id}
    assert not ours & {event.value for event in day(trusting, seed=2) if event.transaction_id}


def test_two_runs_never_share_a_transaction_id(trusting: Policy, events: list[Event]) -> None:
    ours = {event.transaction_id for event in events if event.transaction_id}
    next_day = day(trusting, start_ms=START_MS + MS_PER_DAY)
    assert not ours & {event.transaction_id for event in next_day}


def test_arrivals_never_go_back_and_end_with_the_day(events: list[Event]) -> None:
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(events))
    assert events[-1].at_ms < START_MS + MS_PER_DAY


def test_a_day_has_as_many_transactions_as_asked_for_and_hardly_more(transactions: list[Event]) -> None:
    assert TRANSACTIONS <= len(transactions) < 1.25 * TRANSACTIONS


@pytest.mark.parametrize("start", ["2026-11-21T17:00:00Z", "2026-11-22T07:00:00Z", "2026-11-22T22:00:00Z"])
def test_so_has_a_day_that_goes_over_midnight_into_a_quieter_or_a_busier_one(trusting: Policy, start: str) -> None:
    made = [event for event in day(trusting, start_ms=parse_ms(start)) if event.topic in TRANSACTION_TOPICS]
    assert TRANSACTIONS <= len(made) < 1.25 * TRANSACTIONS


def test_every_tier_and_both_lanes_are_used_and_the_lane_is_the_tiers(
    trusting: Policy, events: list[Event], transactions: list[Event]
) -> None:
    admissions = (decode_customer_event(event.value).message for event in events if event.topic == "customer-events")
    tiers = {each.customer_id: each.tier for each in admissions if isinstance(each, AdmissionApproved)}
    priority = {tier.name for tier in trusting.tiers if tier.priority}
    seen = set()
    for event in transactions:
        if event.transaction_id:
            tier = tiers.get(json.loads(event.value)["customer_id"], trusting.tiers[0].name)
            assert (event.topic == "transactions-priority") == (tier in priority)
            seen.add(tier)
    assert seen == {tier.name for tier in trusting.tiers}


def test_every_trick_is_tried(events: list[Event]) -> None:
    tried = Counter(event.truth.trick for event in events if event.truth)
    assert set(tried) == {trick.name for trick in TRICKS}
    assert min(tried.values()) >= 1
    assert sum(tried.values()) < 0.1 * TRANSACTIONS


def test_honest_life_holds_what_the_pipeline_must_cope_with(trusting: Policy, transactions: list[Event]) -> None:
    readable = [decode_transaction(event.value)[0] for event in transactions if not event.flaw]
    types = {each.transaction_type for each in readable}
    assert types == {"purchase", "transfer", "withdrawal", "deposit", "refund", "fee", "other", "reversal"}
    assert {each.status for each in readable} == {"authorised", "declined"}
    assert len({each.currency for each in readable}) > 1
    ids = Counter(each.transaction_id for each in readable)
    assert max(ids.values()) == 2
    lateness = [
        event.at_ms - parse_ms(json.loads(event.value)["occurred_at"]) for event in transactions if not event.flaw
    ]
    assert min(lateness) > 0
    assert 10 * 60_000 < max(lateness) < trusting.lateness_ms


def test_rates_are_there_before_anybody_pays_in_another_currency(events: list[Event]) -> None:
    known = set()
    for event in events:
        if event.topic == "rates":
            known.add(decode_rate(event.value).message.currency)
        elif event.transaction_id:
            assert json.loads(event.value)["currency"] in known | {"USD"}


def test_each_flaw_is_tried_and_the_codec_says_the_same_of_broken_bytes(events: list[Event]) -> None:
    flaws = {event.flaw for event in events if event.flaw}
    assert len(flaws) > 10
    of_bytes = {
        DeadLetterReason.EMPTY_VALUE,
        DeadLetterReason.NOT_UTF8,
        DeadLetterReason.NOT_JSON,
        DeadLetterReason.MISSING_FIELD,
        DeadLetterReason.WRONG_TYPE,
    }
    for event in events:
        if event.flaw in of_bytes:
            with pytest.raises(Undecodable) as caught:
                decode_transaction(event.value)
            assert caught.value.reason == event.flaw


def test_customer_events_are_understood_and_admissions_are_signed_by_people_of_the_policy(
    trusting: Policy, events: list[Event]
) -> None:
    keys = {person.name: person.keys for person in trusting.people}
    approvals = {tier.name: tier.approvals for tier in trusting.tiers}
    admitted = 0
    for event in events:
        if event.topic == "customer-events":
            message, fields, unknown = decode_customer_event(event.value)
            assert unknown == 0
            if isinstance(message, AdmissionApproved):
                admitted += 1
                signatures = [
                    (message.actor, message.signature.key_id, message.signature.value),
                    *((each.person, each.key_id, each.value) for each in message.countersignatures),
                ]
                assert len(signatures) == approvals[message.tier]
                for person, key_id, value in signatures:
                    assert verify(keys[person][key_id], fields, value)
    assert admitted > 100


def test_a_policy_with_people_of_its_own_never_trusts_the_simulation_beside_them(trusting: Policy) -> None:
    with pytest.raises(ValueError, match="people: "):
        trusting_policy(trusting_policy(DEFAULT_POLICY.read_bytes(), Approvers(trusting, 1)), Approvers(trusting, 2))


def test_the_score_knows_what_was_caught(events: list[Event]) -> None:
    score = Score()
    for event in events:
        score.published(event)
    tried = {row.trick: row for row in score.tricks()}
    assert all((row.challenged, row.alerted, row.flagged) == (0, 0, 0) for row in tried.values())

    burst = [event.transaction_id for event in events if event.truth and event.truth.trick == "velocity_burst"]
    honest = next(event.transaction_id for event in events if event.transaction_id and not event.truth)
    score.flagged(burst[0])
    score.flagged(burst[1])
    score.alerted(burst[1], ("count_1h", "amount_1h"))
    score.alerted(honest, ("amount_1h",))
    row = next(row for row in score.tricks() if row.trick == "velocity_burst")
    assert row == tried["velocity_burst"]._replace(challenged=1, alerted=1, flagged=2)
    assert row.transactions == len(burst)
    assert score.rules() == [("amount_1h", 2, 1), ("count_1h", 1, 1)]
    assert score.precision() == (2, 1)


def test_whole_lives_are_told_from_their_application_on(trusting: Policy) -> None:
    told = list(lives(Random(1), Mint(1, START_MS), Approvers(trusting, 1), trusting, START_MS, times=4))
    events = [decode_customer_event(event.value).message for event in told if event.topic == "customer-events"]
    steps = Counter(str(event.__struct_config__.tag) for event in events)
    assert steps["application.submitted"] == len(STORIES) * 4
    # The last steps of as many stories: a policy that refuses one cuts its story short.
    assert steps["tier.removed"] == steps["application.declined"] == steps["tier.reinstated"] == 4
    assert steps["application.withdrawn"] == steps["callback.confirmed"] == 4
    assert steps["callback.missed"] == 4 * 3
    asked_for = {event.tier for event in events if isinstance(event, ApplicationSubmitted)}
    assert asked_for == {tier.name for tier in trusting.tiers[1:]}


def test_whole_lives_begin_long_before_the_first_day_and_go_on_in_it(trusting: Policy) -> None:
    city = City(trusting, Approvers(trusting, 1), seed=1, start_ms=START_MS, transactions=500)
    before = list(city.past())
    opening_ms = min(event.at_ms for event in city.opening())
    today = [event for event in city.days(START_MS + MS_PER_DAY) if (event.key or b"").startswith(b"life-")]
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise([*before, *today]))
    assert START_MS - before[0].at_ms > 365 * MS_PER_DAY
    assert before[-1].at_ms < opening_ms <= today[0].at_ms
    assert b"tier.removed" in b"".join(event.value for event in today)


def test_a_policy_that_takes_no_applications_cuts_lives_short(trusting: Policy) -> None:
    closed = replace(trusting, onboarding=None)
    told = list(lives(Random(1), Mint(1, START_MS), Approvers(trusting, 1), closed, START_MS, times=1))
    assert not any(b"application.submitted" in event.value for event in told)
