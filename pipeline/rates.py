"""Exchange rates by date: integer arithmetic only, so that everybody who converts gets the same cent."""

from bisect import bisect_left, bisect_right
from datetime import date
from typing import NamedTuple

from pipeline.currencies import EXPONENTS
from schemas.rate import Rate
from schemas.timestamps import MS_PER_DAY

_EPOCH_DAY = date(1970, 1, 1).toordinal()


class ExactRate(NamedTuple):
    """Minor units of the base currency for one minor unit, as a fraction."""

    numerator: int
    denominator: int


class _Series:
    """The rates of one currency in one base currency, by days since 1970-01-01, oldest first."""

    __slots__ = ("days", "rates")

    def __init__(self) -> None:
        self.days: list[int] = []
        self.rates: list[ExactRate] = []

    def put(self, day: int, rate: ExactRate) -> None:
        at = bisect_left(self.days, day)
        if at < len(self.days) and self.days[at] == day:
            self.rates[at] = rate
        else:
            self.days.insert(at, day)
            self.rates.insert(at, rate)


class Rates:
    """All rates known so far. Applying the same rates in the same order gives the same conversions."""

    def __init__(self) -> None:
        """Know no rate."""
        self._series: dict[tuple[str, str], _Series] = {}

    def apply(self, rate: Rate) -> None:
        """Know a rate from now on; it replaces one of the same currency, base currency and date.

        Raises:
            ValueError: a currency is not of ISO 4217, the date does not exist, or the rate is no number above zero;
                nothing changed. The message says which, for the detail of a dead letter.

        """
        exact = exact_rate(rate)
        day = date.fromisoformat(rate.date).toordinal() - _EPOCH_DAY
        self._series.setdefault((rate.currency, rate.base_currency), _Series()).put(day, exact)

    def convert(
        self, amount_minor: int, currency: str, occurred_ms: int, base_currency: str, max_age_ms: int
    ) -> int | None:
        """An amount in minor units of the base currency, or None when no rate holds.

        The rate is the newest one dated on or before the UTC date of `occurred_ms`, if from the start of its date to
        the start of that date no more than `max_age_ms` passed. Half a minor unit goes to the even neighbour.
        """
        if currency == base_currency:
            return amount_minor
        series = self._series.get((currency, base_currency))
        if series is None:
            return None
        day = occurred_ms // MS_PER_DAY
        at = bisect_right(series.days, day) - 1
        if at < 0 or (day - series.days[at]) * MS_PER_DAY > max_age_ms:
            return None
        rate = series.rates[at]
        return _divide_half_even(amount_minor * rate.numerator, rate.denominator)


def exact_rate(rate: Rate) -> ExactRate:
    """The rate as a fraction of minor units: `0.0066` dollars for a yen is 66 cents for 100 yen.

    Raises:
        ValueError: a currency is not of ISO 4217, or the rate is no decimal number above zero and below 10^12.

    """
    for field, code in (("currency", rate.currency), ("base_currency", rate.base_currency)):
        if code not in EXPONENTS:
            raise ValueError(f"{field}: not an active ISO 4217 code")
    whole, _, fraction = rate.rate.partition(".")
    digits = whole + fraction
    # The schema's pattern says the same; this holds for rates that never were on a wire.
    if not (digits.isascii() and digits.isdigit()) or len(whole) > 12 or int(digits) == 0:  # noqa: PLR2004
        raise ValueError("rate: not a decimal number above zero and below 10^12")
    return ExactRate(
        int(digits) * 10 ** EXPONENTS[rate.base_currency],
        10 ** (len(fraction) + EXPONENTS[rate.currency]),
    )


def _divide_half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient & 1))
