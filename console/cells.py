"""One cell of a CSV: read as text, amount, time or degrees. Each reader is made once and called for every row."""

from base64 import b32encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b

from console.mapping import Amount, Cell, Time
from pipeline.currencies import EXPONENTS
from pipeline.zones import load_zone
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, from_datetime, parse_ms

Row = Sequence[str]
# The row and its number, counted from 0.
TextOf = Callable[[Row, int], str]
MsOf = Callable[[Row], int | None]
Columns = dict[str, int]

_UNIT_MS = {"s": MS_PER_SECOND, "m": MS_PER_MINUTE, "h": MS_PER_HOUR, "d": MS_PER_DAY}
_MOST_DIGITS = 30
_HASHES_KEPT = 100_000


class CellError(ValueError):
    """A cell that cannot be read as what it should be. Does not quote it: it may be a card number."""


def hasher(secret: str) -> Callable[[str], str]:
    """A keyed hash of texts, 128 bits: the same text gives the same hash, and nobody without the key can try texts out.

    In letters and the digits 2 to 7, so that practically none contains what passes for a card number, as hex would.
    """
    key = blake2b(secret.encode()).digest()

    @lru_cache(_HASHES_KEPT)
    def hashed(text: str) -> str:
        digest = blake2b(text.encode(errors="surrogateescape"), key=key, digest_size=16).digest()
        return b32encode(digest).decode().lower().rstrip("=")

    return hashed


def text_reader(cell: Cell, columns: Columns, hashed: Callable[[str], str]) -> TextOf:
    """Give the text of a field; an empty cell is an empty text, whatever is framed around others."""
    if cell.row_number:
        return lambda _, number: f"{cell.prefix}{number}{cell.suffix}"
    index = columns[cell.column]
    if not (cell.hash or cell.map or cell.prefix or cell.suffix):
        return lambda row, _: row[index]

    def read(row: Row, _: int) -> str:
        text = row[index]
        if not text:
            return ""
        return f"{cell.prefix}{hashed(text) if cell.hash else cell.map.get(text, text)}{cell.suffix}"

    return read


def amount_reader(amount: Amount, columns: Columns) -> Callable[[Row, str], int]:
    """Give the minor units of a row's amount in a currency."""
    index = columns[amount.column]

    def read(row: Row, currency: str) -> int:
        exponent = EXPONENTS.get(currency)
        if exponent is None:
            raise CellError(f"{currency or 'no currency'} is not an ISO 4217 currency")
        return minor_units(row[index], exponent if amount.unit == "major" else 0, rounds=amount.rounding != "exact")

    return read


def minor_units(text: str, exponent: int, *, rounds: bool) -> int:
    """A decimal number in units of 10^-exponent, exactly, or rounded half to even.

    Raises:
        CellError: it is no number, or has more digits than that although it must not be rounded.

    """
    whole, _, fraction = text.partition(".")
    if len(fraction) <= exponent and text.isascii() and f"{whole}{fraction}".isdecimal():
        return int(whole + fraction.ljust(exponent, "0"))
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise CellError("the amount is not a number") from None
    if not amount.is_finite() or abs(amount.adjusted()) > _MOST_DIGITS:
        raise CellError("the amount is beyond what any payment can be")
    minor = amount.scaleb(exponent)
    rounded = minor.to_integral_value(ROUND_HALF_EVEN)
    if rounded != minor and not rounds:
        raise CellError(f'the amount has more than {exponent} decimals; `rounding = "half_even"` would round it')
    return int(rounded)


def time_reader(time: Time, columns: Columns) -> MsOf:
    """Give the epoch milliseconds of a row, cut to the millisecond; None where its cells are empty."""
    to_ms = _time_parser(time)
    indexes = [columns[name] for name in time.columns or (time.column,)]

    def read(row: Row) -> int | None:
        text = row[indexes[0]] if len(indexes) == 1 else " ".join(row[index] for index in indexes).strip()
        if not text:
            return None
        try:
            return to_ms(text)
        except CellError:
            raise
        except (ValueError, OverflowError, InvalidOperation):
            raise CellError("the time cannot be read") from None

    return read


def _time_parser(time: Time) -> Callable[[str], int]:
    if time.time == "epoch_s":
        return lambda text: int(text) * MS_PER_SECOND if text.isdecimal() else int(Decimal(text) * MS_PER_SECOND // 1)
    if time.time == "epoch_ms":
        return int
    if time.time == "steps":
        step_ms = int(time.step[:-1]) * _UNIT_MS[time.step[-1]]
        start_ms = parse_ms(time.start)
        return lambda text: start_ms + int(text) * step_ms
    zone = UTC if time.zone == "UTC" else load_zone(time.zone)
    pattern = time.time

    def from_wall(text: str) -> int:
        moment = datetime.fromisoformat(text) if pattern == "iso" else datetime.strptime(text, pattern)  # noqa: DTZ007 - its zone follows
        if moment.tzinfo:
            return from_datetime(moment)
        placed = moment.replace(tzinfo=zone)
        if zone is not UTC and placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
            raise CellError(f"a time that clocks in {time.zone} skipped")
        return from_datetime(placed)

    return from_wall


def degrees(text: str) -> float:
    """A latitude or longitude; whether there is such a place, the codec says."""
    try:
        return float(text)
    except ValueError:
        raise CellError("the location is not in degrees") from None
