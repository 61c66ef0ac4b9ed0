"""Laws of the profile: bounded, silent about strangers, taught only afterwards, kept byte for byte."""

from copy import deepcopy
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.evaluate.account import Account
from pipeline.behaviour.baseline import LEAST, SPIKE, Baseline
from pipeline.behaviour.categories import MOST as MOST_CATEGORIES
from pipeline.behaviour.features import FEATURES, INDEX
from pipeline.behaviour.lessons import MOST as MOST_LESSONS
from pipeline.behaviour.lessons import Lessons
from pipeline.behaviour.payment import DEPOSIT, Payment
from pipeline.behaviour.places import MOST as MOST_COUNTRIES
from pipeline.behaviour.profile_bytes import LARGEST, ProfileError, read_profile, write_profile
from schemas.timestamps import MS_PER_DAY
from schemas.transaction import TRANSACTION_TYPES

# The features that a profile gives begin here among all.
FIRST = INDEX["history"]
KINDS = {
    "purchase": TRANSACTION_TYPES.index("purchase"),
    "transfer": TRANSACTION_TYPES.index("transfer"),
    "deposit": DEPOSIT,
    "refund": TRANSACTION_TYPES.index("refund"),
}


def _in_order(told: list[tuple[int, int, str, str, str, str]]) -> list[Payment]:
    at_ms, made = 0, []
    for later_ms, amount, kind, category, payee, country in told:
        at_ms += later_ms
        made.append(Payment("c", at_ms, amount, KINDS[kind], category, "place", payee, country))
    return made


def payments(most: int = 12) -> st.SearchStrategy[list[Payment]]:
    """One customer's payments in the order of their times, ties included."""
    return st.lists(
        st.tuples(
            st.sampled_from([0, 1, 60_000, 3_600_000, 86_400_000, 15 * 86_400_000]),
            st.integers(0, 10**7),
            st.sampled_from(sorted(KINDS)),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["", "p", "q"]),
            st.sampled_from(["", "US", "FR"]),
        ),
        max_size=most,
    ).map(_in_order)


def account_of(known: list[Payment]) -> Account:
    account = Account()
    for each in known:
        account.learn(each)
    return account


def named(account: Account, payment: Payment) -> dict[str, float]:
    values = account.look(payment)
    return dict(zip(FEATURES[FIRST : FIRST + len(values)], values, strict=True))


ASKED = Payment("c", 2 * 10**12, 5_000, KINDS["purchase"], "a", "place", "p")


@given(payments())
def test_the_same_payments_give_the_same_profile_byte_for_byte(known: list[Payment]) -> None:
    before = deepcopy(known)
    assert write_profile(account_of(known).profile) == write_profile(account_of(known).profile)
    assert known == before


@given(payments(), payments(5))
def test_a_profile_read_from_its_bytes_goes_on_as_if_it_had_never_been_written(
    known: list[Payment], later: list[Payment]
) -> None:
    account, read = account_of(known), account_of(known)
    read.profile = read_profile(write_profile(account.profile))
    for each in [*later, ASKED]:
        assert read.look(each) == account.look(each)
        account.learn(each)
        read.learn(each)
    assert write_profile(read.profile) == write_profile(account.profile)


def add(lessons: Lessons, payment: Payment) -> None:
    at = (payment.location[0], payment.location[1]) if payment.location else None
    lessons.add(payment.at_ms, payment.amount, payment.kind, payment.category, payment.country, at)


LOCATED = st.sampled_from([(), (), (48.8566, 2.3522), (-33.8688, 151.2093)])


@given(payments(3 * MOST_LESSONS), st.data())
def test_payments_that_wait_teach_the_profile_the_same_whoever_looks_and_whenever_it_is_read(
    known: list[Payment], data: st.DataObject
) -> None:
    account, lessons, undisturbed = Account(), Lessons(), Lessons()
    for each in known:
        payment = each._replace(location=data.draw(LOCATED))
        account.learn(payment)
        add(lessons, payment)
        add(undisturbed, payment)
        if data.draw(st.booleans()):
            assert write_profile(lessons.profile) == write_profile(account.profile)
        if data.draw(st.booleans()):
            kept = lessons.to_bytes()
            lessons = Lessons()
            lessons.read(kept)
        assert lessons.to_bytes() == undisturbed.to_bytes()
        # What says nothing of habits may tell a place.
        places, told = lessons.profile.places, account.profile.places
        assert (places.located_ms, places.lat, places.lon) == (told.located_ms, told.lat, told.lon)
    assert write_profile(undisturbed.profile) == write_profile(account.profile)


@given(payments())
def test_a_profile_of_version_1_is_read_and_goes_on(known: list[Payment]) -> None:
    account, lessons = account_of(known), Lessons()
    lessons.read(write_profile(account.profile))
    account.learn(ASKED)
    add(lessons, ASKED)
    assert write_profile(lessons.profile) == write_profile(account.profile)


@given(payments(), st.data())
def test_kept_payments_that_were_cut_short_are_no_profile(known: list[Payment], data: st.DataObject) -> None:
    lessons = Lessons()
    for each in [*known, ASKED][: MOST_LESSONS - 1]:
        add(lessons, each)
    kept = lessons.to_bytes()
    with pytest.raises(ProfileError):
        Lessons().read(kept[: data.draw(st.integers(1, len(kept) - 1))])


@given(payments())
def test_to_look_twice_is_to_see_the_same(known: list[Payment]) -> None:
    account = account_of(known)
    at = known[-1]._replace(amount=777) if known else ASKED
    assert account.look(at) == account.look(at)


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_nothing_is_said_about_a_customer_of_whom_nothing_is_known(at_ms: int, amount: int) -> None:
    said = named(Account(), ASKED._replace(at_ms=at_ms, amount=amount, payee=""))
    assert {name for name, value in said.items() if value not in {0.0, -1.0}} <= {"hour", "hour_share"}
    assert said["hour_share"] == 1.0


@given(payments(), st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_larger_amount_never_lowers_an_amount_signal(known: list[Payment], amount: int, more: int) -> None:
    account = account_of(known)
    small, large = (named(account, ASKED._replace(amount=each)) for each in (amount, amount + more))
    for name in ("ratio", "z", "category_ratio", "share_of_receipt"):
        assert large[name] >= small[name]


@given(st.lists(st.integers(100, 10_000), min_size=LEAST + 1, max_size=50), st.integers(10**6, 10**9))
def test_one_outlier_raises_what_is_usual_no_more_than_a_spike_would(usual: list[int], outlier: int) -> None:
    by_spike, by_outlier = Baseline(), Baseline()
    for amount in usual:
        by_spike.learn(amount)
        by_outlier.learn(amount)
    mean = by_spike.mean
    by_spike.learn(round(SPIKE * mean) + 1)
    by_outlier.learn(outlier)
    assert by_outlier.mean == pytest.approx(by_spike.mean)


def test_a_profile_stays_small_whatever_a_customer_does() -> None:
    account, lessons = Account(), Lessons()
    for number in range(20_000):
        # Names of the longest, in letters that take four bytes each.
        name = f"{number:06d}" + "𐍈" * 122
        kind = KINDS["transfer"] if number % 5 else DEPOSIT
        payment = Payment("c", number * 1_000, 10**13 * (number % 7), kind, name, "", name, name)
        located = payment._replace(location=(12.34567, -98.7654321))
        account.learn(located)
        add(lessons, located)
    assert len(write_profile(account.profile)) < LARGEST
    assert len(lessons.to_bytes()) < LARGEST + MOST_LESSONS * 160
    assert len(account.profile.categories.known) == MOST_CATEGORIES
    assert len(account.profile.places.countries) == MOST_COUNTRIES


@pytest.mark.parametrize("data", [b"\x03\x00", b"\x01\x00", b"\x01\x00\x93\x01\x02\x03", b"\x02\x00\xff\xff\x01"])
def test_bytes_that_are_no_profile_are_named_so(data: bytes) -> None:
    with pytest.raises(ProfileError):
        read_profile(data)
    with pytest.raises(ProfileError):
        Lessons().read(data)


@given(payments())
def test_spikes_are_found_again_by_their_moments(known: list[Payment]) -> None:
    account = account_of(known)
    spikes = account.profile.spikes
    assert {each.at_ms for each in known if spikes.has(each.at_ms)} == {at_ms for at_ms, _ in spikes.kept}


@given(payments())
def test_spikes_are_forgotten_after_a_fortnight(known: list[Payment]) -> None:
    account = account_of(known)
    end = known[-1].at_ms if known else 0
    ages = [named(account, ASKED._replace(at_ms=end + day * MS_PER_DAY))["spikes"] for day in range(16)]
    assert all(later <= earlier for earlier, later in pairwise(ages))
    assert ages[14] == 0
