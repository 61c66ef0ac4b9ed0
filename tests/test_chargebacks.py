"""Payments that were found to be fraud: the newest label of each counts, for a year, in whatever order labels come."""

from dataclasses import replace
from itertools import permutations

from msgspec import structs

from pipeline.policy.onboarding import Criteria
from pipeline.whitelist.chargeback_review import ask_for_review
from pipeline.whitelist.chargebacks import YEAR_MS, charged_back, label
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier, Filed
from pipeline.whitelist.grounds import since_review
from schemas.disposition import Disposition, Label
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.grants import POLICY, START, admission, after


def labelled(what: Label, day: int, transaction_id: str = "t-1") -> Disposition:
    return Disposition(
        disposition_id=f"d-{day}",
        customer_id="c-1",
        occurred_at=format_ms(START + day * MS_PER_DAY),
        actor="fraud-desk",
        label=what,
        status="final",
        transaction_id=transaction_id,
        source="processor-1",
    )


def told(*dispositions: Disposition, arrival_ms: int = START + 9 * MS_PER_DAY) -> Dossier:
    dossier = Dossier()
    for one in dispositions:
        dossier = label(one, dossier, arrival_ms)
    return dossier


def test_the_newest_label_of_a_payment_counts_and_no_order_hides_a_suspicion() -> None:
    labels = [labelled("fraud", 1), labelled("genuine", 2), labelled("fraud", 3), labelled("inconclusive", 4)]
    assert [charged_back(told(*labels[:known]), START + 9 * MS_PER_DAY) for known in range(5)] == [0, 1, 0, 1, 0]
    for order in permutations(labels):
        assert charged_back(told(*order, *order), START + 9 * MS_PER_DAY) == 0
    for order in permutations(labels[:3]):
        assert charged_back(told(*order), START + 9 * MS_PER_DAY) == 1


def test_each_payment_counts_once_and_for_a_year() -> None:
    dossier = told(labelled("fraud", 1), labelled("fraud", 2), labelled("fraud", 2, "t-2"))
    assert charged_back(dossier, START + 9 * MS_PER_DAY) == 2
    assert charged_back(dossier, START + 2 * MS_PER_DAY + YEAR_MS) == 0


def test_a_label_from_the_future_is_as_old_as_its_arrival() -> None:
    dossier = told(labelled("fraud", 900), arrival_ms=START)
    assert charged_back(label(labelled("genuine", 1), dossier, START + MS_PER_DAY), START + MS_PER_DAY) == 0


def test_no_customer_s_dossier_grows_without_end() -> None:
    dossier = told(*(labelled("fraud", 1, f"t-{number}") for number in range(100)))
    assert charged_back(dossier, START + 9 * MS_PER_DAY) == 20


def test_who_was_never_suspected_is_not_remembered() -> None:
    assert told(labelled("genuine", 1)) == told(labelled("inconclusive", 1)) == Dossier()


def test_a_review_is_asked_for_at_the_first_fraud_since_the_grant_and_beyond_what_the_tier_allows() -> None:
    *others, gold = POLICY.tiers
    demanding = structs.replace(gold, criteria=Criteria(evidence=("identity",), chargebacks=2))
    policy = structs.replace(POLICY, tiers=(*others, demanding))
    dossier, asked = after((admission(START), START)), []
    for day in range(1, 6):
        one = labelled("fraud", day, f"t-{day}")
        dossier, before = label(one, dossier, START + day * MS_PER_DAY), dossier
        asked.append(len(ask_for_review(one, before, dossier, policy, Conduct(), START + day * MS_PER_DAY)))
    assert asked == [1, 0, 1, 0, 0]


def test_nobody_is_asked_about_a_grant_that_is_over() -> None:
    granted, one = after((admission(START), START)), labelled("fraud", 1)
    assert granted.grant is not None
    for before, at_ms in ((Dossier(), START + MS_PER_DAY), (granted, granted.grant.grace_until_ms)):
        assert ask_for_review(one, before, label(one, before, at_ms), POLICY, Conduct(), at_ms) == ()
    after_label = label(one, granted, START + MS_PER_DAY)
    assert ask_for_review(one, granted, after_label, POLICY, Conduct(), START + MS_PER_DAY) != ()


def test_a_request_brings_along_what_happened_since_the_grant_and_nothing_from_before() -> None:
    granted = after((admission(START), START))
    before = Filed("identity", "r-1", START, START, None, "eve", ())
    later = before._replace(reference="r-2", filed_ms=START + 5)
    dossier = label(labelled("fraud", 1), replace(granted, file=(before, later)), START + MS_PER_DAY)
    since = since_review(dossier, Conduct(7, alerted_ms=START), START + MS_PER_DAY)
    assert since is not None
    assert [one.reference for one in since.filed] == ["r-2"]
    assert (since.since, since.alerted_at) == (format_ms(START), None)
    assert (since.transactions_30d, since.chargebacks) == (7, 1)
    newer = since_review(dossier, Conduct(alerted_ms=START + 1), START + MS_PER_DAY)
    assert newer is not None
    assert newer.alerted_at == format_ms(START + 1)
    assert since_review(Dossier(), Conduct(), START) is None
