"""Currencies and rates, told with numbers that a person can check."""

from collections import Counter

import pytest

from pipeline.currencies import EXPONENTS
from pipeline.rates import Rates
from schemas.rate import Rate
from schemas.timestamps import MS_PER_DAY, parse_ms

WEEK = 7 * MS_PER_DAY


def rate(currency: str, text: str, date: str = "2026-03-02", base: str = "USD") -> Rate:
    return Rate(currency=currency, date=date, rate=text, base_currency=base)


def convert(
    amount_minor: int, currency: str, at: str = "2026-03-02T12:00:00Z", *quoted: Rate, base: str = "USD"
) -> int | None:
    rates = Rates()
    for one in quoted:
        rates.apply(one)
    return rates.convert(amount_minor, currency, parse_ms(at), base, WEEK)


def test_the_base_currency_needs_no_rate() -> None:
    assert convert(12_345, "USD") == 12_345


@pytest.mark.parametrize(
    "amount_minor,currency,text,base,expected",
    [
        (10_000, "EUR", "1.10", "USD", 11_000),  # 100.00 euro
        (1_000, "JPY", "0.0066", "USD", 660),  # 1,000 yen, which has no smaller unit
        (1_000, "KWD", "3.25", "USD", 325),  # 1.000 dinar of a thousand fils
        (10_000, "USD", "150.5", "JPY", 15_050),
        (100, "USD", "0.307", "KWD", 307),
        (12_345, "CLF", "40.5", "USD", 5_000),  # 1.2345: 49.99725 dollars
        (1, "EUR", "0.5", "USD", 0),  # half a cent goes to the even neighbour
        (3, "EUR", "0.5", "USD", 2),
        (5, "EUR", "0.5", "USD", 2),
        (5, "EUR", "0.500000000000000001", "USD", 3),
        (999_999_999_999_999, "EUR", "1.000000000000000001", "USD", 999_999_999_999_999),
    ],
)
def test_conversion(amount_minor: int, currency: str, text: str, base: str, expected: int) -> None:
    quoted = rate(currency, text, base=base)
    assert convert(amount_minor, currency, "2026-03-02T12:00:00Z", quoted, base=base) == expected


@pytest.mark.parametrize(
    "at,expected",
    [
        ("2026-03-01T23:59:59.999Z", None),
        ("2026-03-02T00:00:00Z", 110),
        ("2026-03-02T23:59:59.999Z", 110),
        ("2026-03-03T00:00:00+01:00", 110),  # still the second in UTC
        ("2026-03-03T00:00:00Z", 120),
        ("2026-03-10T23:59:59.999Z", 120),
        ("2026-03-11T00:00:00Z", None),
    ],
)
def test_the_newest_rate_on_or_before_the_utc_date_holds_for_a_week(at: str, expected: int | None) -> None:
    assert convert(100, "EUR", at, rate("EUR", "1.2", "2026-03-03"), rate("EUR", "1.1")) == expected


def test_a_rate_can_be_corrected_and_is_for_its_pair_only() -> None:
    assert convert(100, "EUR", "2026-03-02T12:00:00Z", rate("EUR", "9"), rate("EUR", "1.1")) == 110
    assert convert(100, "EUR", "2026-03-02T12:00:00Z", rate("EUR", "1.1", base="CHF")) is None
    assert convert(100, "USD", "2026-03-02T12:00:00Z", rate("EUR", "1.1"), base="EUR") is None


@pytest.mark.parametrize(
    "bad,where",
    [
        (rate("QQQ", "1"), "currency"),
        (rate("EUR", "1", base="XAU"), "base_currency"),
        (rate("EUR", "0"), "rate"),
        (rate("EUR", "-1"), "rate"),
        (rate("EUR", "1e3"), "rate"),
        (rate("EUR", "1000000000000"), "rate"),
        (rate("EUR", ""), "rate"),
        (rate("EUR", "1", "2026-02-30"), "day"),
    ],
)
def test_a_rate_that_is_none_changes_nothing(bad: Rate, where: str) -> None:
    rates = Rates()
    rates.apply(rate("EUR", "1.1"))
    with pytest.raises(ValueError, match=where):
        rates.apply(bad)
    assert rates.convert(100, "EUR", parse_ms("2026-03-02T12:00:00Z"), "USD", WEEK) == 110


def test_exponents_are_those_of_iso_4217() -> None:
    """The list of 2026-01-01 has 178 codes, 13 of them without a minor unit."""
    assert Counter(EXPONENTS.values()) == {0: 17, 2: 139, 3: 7, 4: 2}
    assert [EXPONENTS[code] for code in ("JPY", "USD", "ISK", "KWD", "CLF")] == [0, 2, 0, 3, 4]
    assert {"EUR", "XCG", "ZWG", "SLE", "VED"} <= EXPONENTS.keys()
    assert EXPONENTS.keys().isdisjoint({"ANG", "BGN", "CUC", "HRK", "SLL", "ZWL", "XAU", "XDR", "XTS", "XXX"})
