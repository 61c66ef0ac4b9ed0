"""Whole lives on the whitelist, from the application to its end: years for a customer, a day for whoever watches."""

from collections.abc import Callable, Iterator
from random import Random

from load_tests.city.approvers import Approvers
from load_tests.city.desk import Desk, RefusedError
from load_tests.city.event import Event
from load_tests.city.mint import Mint
from load_tests.city.people import newcomer
from pipeline.policy.model import Policy, Tier
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, format_ms

_DAY, _HOUR = MS_PER_DAY, MS_PER_HOUR
# Longer than any policy asks a number to be on file, before the oldest application.
_NUMBER_SINCE_DAYS = 420
_RULE = "amount_24h"

# A life is told by its desk, with today's midnight and the tier it is about.
Story = Callable[[Desk, int, Tier], None]


def _from_application_to_removal(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Admitted, a limit lowered and raised for a week, reviewed in time, on a journey, and removed today."""
    every_ms = tier.review.every_ms if tier.review is not None else 0
    admitted_ms = today_ms - every_ms - 20 * _DAY
    limit = tier.limits[_RULE]
    desk.admit(admitted_ms, tier)
    desk.say(admitted_ms + _DAY, "limit.change_requested", actor=desk.who.customer_id, rule=_RULE, limit=limit // 2)
    raised_ms, until = admitted_ms + 5 * _DAY, format_ms(admitted_ms + 12 * _DAY)
    desk.say(raised_ms, "limit.change_approved", approvals=tier.approvals, rule=_RULE, limit=limit, until=until)
    desk.approve(admitted_ms + every_ms - 3 * _DAY, tier, renewal=True)
    journey_ms = today_ms - 2 * _DAY
    desk.pay(journey_ms, tier)
    desk.say(
        journey_ms,
        "suppression.approved",
        approvals=tier.approvals,
        rule="night_amount",
        until=format_ms(journey_ms + 10 * _DAY),
        grounds="travel_notice",
    )
    desk.say(today_ms + 5 * _HOUR, "suppression.ended", rule="night_amount")
    desk.say(today_ms + 14 * _HOUR, "tier.removed", reason_code="closed_by_customer")


def _more_than_the_file_carries(desk: Desk, today_ms: int, tier: Tier) -> None:
    """More than the tier's limits asked for: supplements, an approver more, and a new number today."""
    applied_ms = today_ms - 12 * _DAY
    desk.pay(applied_ms, tier)
    desk.apply_for(applied_ms, tier, {_RULE: tier.limits[_RULE] * tier.ceiling_pct // 100})
    desk.file_all(applied_ms + 3 * _DAY, tier)
    desk.answer(applied_ms + 4 * _DAY)
    desk.approve(applied_ms + 5 * _DAY, tier, more=1)
    desk.say(today_ms + 9 * _HOUR, "contact.changed", kind="phone", reference=f"{desk.who.customer_id}-new-number")


def _hesitant_then_suspended(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Doubts twice, settled by a person; suspended and reinstated today."""
    admitted_ms = today_ms - 30 * _DAY
    desk.pay(admitted_ms - 4 * _DAY, tier)
    desk.apply_for(admitted_ms - 4 * _DAY, tier)
    desk.file_all(admitted_ms - 4 * _DAY + _HOUR, tier)
    desk.answer(admitted_ms - 3 * _DAY, "hesitant")
    desk.answer(admitted_ms - 2 * _DAY, "hesitant")
    desk.about_application(admitted_ms - _DAY, "callback.confirmed", approvals=tier.approvals)
    desk.approve(admitted_ms, tier)
    desk.say(today_ms + 3 * _HOUR, "tier.suspended", reason_code="reported_by_another_bank")
    desk.say(today_ms + 17 * _HOUR, "tier.reinstated", approvals=tier.approvals)


def _frozen_and_listed(desk: Desk, today_ms: int, tier: Tier) -> None:
    """A lost card today, the freeze lifted; then a list names the customer."""
    desk.admit(today_ms - 40 * _DAY, tier)
    desk.say(today_ms + 6 * _HOUR, "account.frozen", actor=desk.who.customer_id, reason_code="card_lost")
    desk.say(today_ms + 8 * _HOUR, "account.unfrozen", approvals=tier.approvals)
    desk.file(today_ms + 12 * _HOUR, "screening", result="hit")


def _never_reviewed(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Nobody reviews it: the review clock asks, reminds, and takes the tier back today, before the customer writes."""
    review = tier.review
    if review is not None:
        desk.admit(today_ms + 10 * _HOUR - review.every_ms - review.grace_ms, tier)
    desk.say(today_ms + 18 * _HOUR, "contact.changed", kind="email", reference=f"{desk.who.customer_id}-mail")


def _somebody_else_answers(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Who answers the telephone is not who applied: stopped at once, and declined today."""
    applied_ms = today_ms - 2 * _DAY
    desk.pay(applied_ms, tier)
    desk.apply_for(applied_ms, tier)
    desk.file_all(applied_ms + _HOUR, tier)
    desk.answer(applied_ms + _DAY, "mismatch")
    desk.about_application(today_ms + 11 * _HOUR, "application.declined", reason_code="not_verified")


def _never_reached(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Called as often as the policy says, the last time today."""
    applied_ms = today_ms - 3 * _DAY
    desk.pay(applied_ms, tier)
    desk.apply_for(applied_ms, tier)
    desk.file_all(applied_ms + _HOUR, tier)
    attempts = desk.policy.onboarding.call_back.attempts if desk.policy.onboarding is not None else 0
    for number in range(attempts - 1):
        desk.miss(applied_ms + _DAY + number * 2 * _HOUR)
    desk.miss(today_ms + 10 * _HOUR)


def _thinks_again(desk: Desk, today_ms: int, tier: Tier) -> None:
    """Applies today, and withdraws."""
    desk.apply_for(today_ms + 2 * _HOUR, tier)
    desk.about_application(today_ms + 15 * _HOUR, "application.withdrawn", reason_code="no_longer_needed")


def _admitted_today(desk: Desk, today_ms: int, tier: Tier) -> None:
    """The whole way to a tier in one day."""
    desk.pay(today_ms, tier)
    desk.apply_for(today_ms + _HOUR, tier)
    desk.file_all(today_ms + 2 * _HOUR, tier)
    desk.answer(today_ms + 16 * _HOUR)
    desk.approve(today_ms + 20 * _HOUR, tier)


def _leaves_the_own_profile(desk: Desk, today_ms: int, tier: Tier) -> None:
    """A quiet customer, suddenly with several new phones: trust is lowered today, and restored by who has looked."""
    desk.admit(today_ms - 40 * _DAY, tier)
    desk.pay(today_ms - 7 * _DAY, tier, least=6)
    shift = desk.policy.profile_shift
    for number in range(shift.new_devices + 1 if shift is not None else 0):
        desk.say(today_ms - 2 * _HOUR, "device.registered", device_id=f"{desk.who.customer_id}-phone-{number}")
    # Everybody is looked at once a day, at what is a quarter of an hour old: this is after the look.
    desk.approve(today_ms + 22 * _HOUR + 20 * MS_PER_MINUTE, tier, renewal=True)


STORIES: tuple[Story, ...] = (
    _from_application_to_removal,
    _more_than_the_file_carries,
    _hesitant_then_suspended,
    _frozen_and_listed,
    _never_reviewed,
    _somebody_else_answers,
    _never_reached,
    _thinks_again,
    _admitted_today,
    _leaves_the_own_profile,
)


def lives(rng: Random, mint: Mint, approvers: Approvers, policy: Policy, today_ms: int, times: int) -> Iterator[Event]:
    """Yield each story as often as `times`, about one tier after the other, in no order.

    What the policy has no room for is left out from the step that it would refuse on.
    """
    for number in range(times * len(STORIES)):
        tier = policy.tiers[1:][number // len(STORIES) % len(policy.tiers[1:])]
        desk = Desk(rng, mint, approvers, policy, newcomer(rng, policy, f"life-{number:03d}"))
        minutes_ms = rng.randrange(_HOUR // MS_PER_MINUTE) * MS_PER_MINUTE
        try:
            desk.say(
                today_ms - _NUMBER_SINCE_DAYS * _DAY,
                "contact.changed",
                kind="phone",
                reference=f"{desk.who.customer_id}-number",
            )
            STORIES[number % len(STORIES)](desk, today_ms + minutes_ms, tier)
        except RefusedError:
            pass
        yield from desk.events
