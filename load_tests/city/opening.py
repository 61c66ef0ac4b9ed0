"""What was there before the first day: exchange rates, phones and payees long in use, and who holds which tier."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from load_tests.city.approvers import Approvers
from load_tests.city.chance import happens
from load_tests.city.event import Event
from load_tests.city.mint import Mint
from load_tests.city.people import Resident
from load_tests.city.places import countries
from pipeline.policy.model import Policy, ReviewTerms
from schemas.rate import Rate
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms

_KNOWN_FOR_DAYS = 400
# Of a hundred grants so many are under review on the first day, at one stage or another.
_UNDER_REVIEW = 0.01


def rates(policy: Policy, rng: Random, at_ms: int, *, days: int) -> Iterator[Event]:
    """Yield the rates of the day of `at_ms` (UTC) and the days before it, `days` in all."""
    today = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    for back in range(days):
        date = (today - timedelta(days=back)).isoformat()
        for country in countries(policy.base_currency)[1]:
            rate = Rate(
                currency=country.currency,
                date=date,
                rate=f"{country.per_unit * rng.uniform(0.99, 1.01):.8f}",
                base_currency=policy.base_currency,
                source="simulated-market",
            )
            yield Event(at_ms, "rates", f"{country.currency}/{date}".encode(), msgspec.json.encode(rate))


def known_phones_and_payees(rng: Random, mint: Mint, who: Resident, at_ms: int) -> Iterator[Event]:
    """Yield the phones and payees that `who` has had for long; the news of them all arrive at `at_ms`."""
    since_ms = at_ms - rng.randrange(60, _KNOWN_FOR_DAYS) * MS_PER_DAY
    for phone in who.phones:
        yield mint.phone(who, since_ms, phone, arrival_ms=at_ms)
    for payee in who.payees:
        yield mint.payee(who, since_ms, payee, arrival_ms=at_ms)


def grants(rng: Random, mint: Mint, residents: Sequence[Resident], approvers: Approvers, at_ms: int) -> Iterator[Event]:
    """Yield the signed admission of everybody above the base tier; the news of them all arrive at `at_ms`."""
    for who in residents:
        if who.tier.review is not None:
            yield _grant(rng, mint, who, who.tier.review, approvers, at_ms)


def _grant(rng: Random, mint: Mint, who: Resident, review: ReviewTerms, approvers: Approvers, at_ms: int) -> Event:
    review_ms = at_ms + _until_review(rng, review)
    granted_ms = min(review_ms - review.every_ms, at_ms - MS_PER_DAY)
    # A review comes before the end of a grant, however short the policy makes it.
    expires_ms = max(granted_ms + who.tier.grant_ms, review_ms + MS_PER_HOUR)
    fields = {
        "event_type": "admission.approved",
        "event_id": mint.next_id(),
        "customer_id": who.customer_id,
        "occurred_at": format_ms(granted_ms),
        "reason_code": "annual_application",
        "tier": who.tier.name,
        "evidence": [
            {
                "kind": kind,
                "reference": f"file-{rng.getrandbits(40):010x}",
                "issued_at": format_ms(granted_ms - MS_PER_DAY),
            }
            for kind in ("identity_document", "proof_of_income", "callback_record")
        ],
        "review_at": format_ms(review_ms),
        "expires_at": format_ms(expires_ms),
    }
    value = approvers.sign(fields, who.tier.approvals)
    return Event(at_ms, "customer-events", who.customer_id.encode(), value)


def _until_review(rng: Random, review: ReviewTerms) -> int:
    """How far off the next review is: mostly beyond its notice, else so near that the first day sees some of it."""
    if not happens(rng, _UNDER_REVIEW):
        notice_ms = review.notice_ms + MS_PER_DAY
        return rng.randrange(notice_ms, max(review.every_ms - MS_PER_DAY, notice_ms + 1))
    today_ms = rng.randrange(MS_PER_HOUR, MS_PER_DAY)
    stage_ms = rng.choice((review.notice_ms, 0, -review.grace_ms))
    return stage_ms + today_ms
