"""What a cell of a CSV says: amounts exactly, times to the millisecond, hashes that nobody undoes."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cells import CellError, hasher, minor_units, text_reader, time_reader
from console.mapping import Cell, Time
from schemas.timestamps import format_ms


@pytest.mark.parametrize(
    "text, exponent, minor",
    [
        ("57.16", 2, 5716),
        ("146.0", 2, 14600),
        ("146", 2, 14600),
        (".5", 2, 50),
        ("1000", 0, 1000),
        ("1.234", 3, 1234),
        ("-3.10", 2, -310),
        ("+3", 2, 300),
        (" 3 ", 2, 300),
        ("1.5e3", 2, 150000),
        ("0", 2, 0),
    ],
)
def test_amount_is_exact(text: str, exponent: int, minor: int) -> None:
    assert minor_units(text, exponent, rounds=False) == minor


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "not a number"),
        ("12,50", "not a number"),
        ("²", "not a number"),
        ("12.345", "more than 2 decimals"),
        ("85.64999999999999", "more than 2 decimals"),
        ("NaN", "beyond"),
        ("Infinity", "beyond"),
        ("1e999999", "beyond"),
    ],
)
def test_what_is_no_amount_says_so(text: str, problem: str) -> None:
    with pytest.raises(CellError, match=problem):
        minor_units(text, 2, rounds=False)


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=6), st.sampled_from([0, 2, 3, 4]))
def test_rounding_is_half_to_even(amount: Decimal, exponent: int) -> None:
    expected = int((amount * 10**exponent).quantize(Decimal(1), ROUND_HALF_EVEN))
    assert minor_units(str(amount), exponent, rounds=True) == expected


@pytest.mark.parametrize(
    "time, cells, moment",
    [
        (Time(column="a", time="epoch_s"), ("1577836948",), "2020-01-01T00:02:28.000Z"),
        (Time(column="a", time="epoch_s"), ("1577836948.9876",), "2020-01-01T00:02:28.987Z"),
        (Time(column="a", time="epoch_ms"), ("1577836948987",), "2020-01-01T00:02:28.987Z"),
        (Time(column="a"), ("2018-04-01 00:00:31",), "2018-04-01T00:00:31.000Z"),
        (Time(column="a"), ("2018-04-01T00:00:31.5+02:00",), "2018-03-31T22:00:31.500Z"),
        (Time(column="a", zone="Europe/Berlin"), ("2018-07-01 12:00",), "2018-07-01T10:00:00.000Z"),
        (Time(columns=("a", "b")), ("2020-01-01", "00:02:28"), "2020-01-01T00:02:28.000Z"),
        (Time(column="a", time="%d/%m/%Y %H:%M"), ("24/12/2020 18:30",), "2020-12-24T18:30:00.000Z"),
        (Time(column="a", time="steps", step="1h", start="2024-01-01T00:00:00Z"), ("25",), "2024-01-02T01:00:00.000Z"),
    ],
)
def test_time_is_read_as_the_mapping_says(time: Time, cells: tuple[str, ...], moment: str) -> None:
    moment_ms = time_reader(time, {"a": 0, "b": 1})(cells)
    assert moment_ms is not None
    assert format_ms(moment_ms) == moment


@pytest.mark.parametrize("text", ["yesterday", "2018-02-30 00:00:00", "12"])
def test_what_is_no_time_says_so(text: str) -> None:
    with pytest.raises(CellError, match="time cannot be read"):
        time_reader(Time(column="a"), {"a": 0})((text,))


def test_hour_that_clocks_skip_is_no_time() -> None:
    read = time_reader(Time(column="a", zone="Europe/Berlin"), {"a": 0})
    with pytest.raises(CellError, match="clocks in Europe/Berlin skipped"):
        read(("2018-03-25 02:30:00",))
    assert read(("2018-03-25 03:30:00",)) is not None


def test_hash_depends_on_the_key_and_holds_no_card_number() -> None:
    card = "4111111111111111"
    hashed = hasher("key")(card)
    assert hashed == hasher("key")(card) != hasher("other key")(card)
    assert len(hashed) == 26
    assert not any(character in "0189" for character in hashed)


def test_text_is_hashed_or_translated_then_framed() -> None:
    columns = {"a": 0}
    translated = text_reader(Cell(column="a", map={"x": "y"}, prefix="<", suffix=">"), columns, str.upper)
    assert [translated((text,), 7) for text in ("x", "z", "")] == ["<y>", "<z>", ""]
    assert text_reader(Cell(column="a", hash=True, suffix="-h"), columns, str.upper)(("x",), 7) == "X-h"
    assert text_reader(Cell(row_number=True, suffix="-in"), columns, str.upper)(("x",), 7) == "7-in"
