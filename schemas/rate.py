"""A dated exchange rate. The newest message for a currency and a date holds."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.transaction import ShortText

IsoCurrency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217, upper case.")]
Date = Annotated[
    str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="ISO 8601.", extra_json_schema={"format": "date"})
]
# Text, because a JSON number is a binary fraction to most readers.
DecimalText = Annotated[
    str,
    Meta(
        pattern=r"^(?=.*[1-9])(0|[1-9][0-9]{0,11})(\.[0-9]{1,18})?$",
        description="A decimal number above zero and below 10^12.",
    ),
]


class Rate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """On `date`, one unit of `currency` is worth `rate` units of `base_currency` (major units both)."""

    currency: IsoCurrency
    date: Date
    rate: DecimalText
    base_currency: IsoCurrency
    # Who quotes it.
    source: ShortText = ""
