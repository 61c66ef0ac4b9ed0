"""Amounts of money in a policy: decimal text in major units, exact integers of minor units in memory."""

import re
from typing import Any

from pipeline.policy.reading import Reading
from pipeline.policy.shapes import Leaf

# Fifteen digits of minor units: every sum still fits a JSON number.
LARGEST_MINOR = 999_999_999_999_999
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,9}))?")


class Amount(Leaf):
    """An amount in major units of the base currency, never negative; zero is a limit, not the absence of one."""

    placeholder = 0
    words = "an amount in digits, such as 250 or 99.50"

    def parse(self, text: str, reading: Reading) -> int:
        """Give minor units."""
        match = _AMOUNT.fullmatch(text)
        if match is None:
            raise ValueError
        whole, fraction = match[1], match[2] or ""
        if len(fraction) > reading.exponent:
            raise ValueError(f"{text} has more than the {reading.exponent} digits after the point of the base currency")
        minor = int(whole + fraction.ljust(reading.exponent, "0"))
        if minor > LARGEST_MINOR:
            raise ValueError(f"{text} is beyond what any payment can be")
        return minor

    def say(self, value: int, exponent: int) -> str:
        """All its digits, those before the point in groups of three."""
        whole, fraction = divmod(value, 10**exponent)
        return f"{whole:,}.{fraction:0{exponent}d}" if exponent else f"{whole:,}"

    def schema(self) -> dict[str, Any]:
        """A number, or its text for those who want to be sure of the digits."""
        return {"type": ["number", "string"], "minimum": 0, "pattern": f"^(?:{_AMOUNT.pattern})$"}


def format_amount(minor: int, exponent: int) -> str:
    """Minor units as text in major units: 9950 with exponent 2 is `99.50`, 25000 is `250`."""
    whole, fraction = divmod(minor, 10**exponent)
    return f"{whole}.{fraction:0{exponent}d}" if fraction else str(whole)


class MinorAmount(Amount):
    """One whose name in the model says its unit."""

    unit = "_minor"
