"""Mapping files: which columns of a CSV are which fields of a transaction. `docs/ingest.md` is their reference."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert, defstruct, field
from msgspec.structs import asdict, replace

from agents.exit_codes import Exit
from console.errors import CommandError
from pipeline.currencies import EXPONENTS
from pipeline.zones import load_zone
from schemas.timestamps import parse_ms
from schemas.transaction import Transaction

FORMATS = Path(__file__).parent / "formats"

Name = Annotated[str, Meta(min_length=1)]


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """A text field: the content of a column, or the row's number from 0; hashed or translated, then framed.

    What `map` does not name stays as it is.
    """

    column: str = ""
    row_number: bool = False
    hash: bool = False
    map: dict[str, str] = {}
    prefix: str = ""
    suffix: str = ""

    def __post_init__(self) -> None:
        if bool(self.column) == self.row_number:
            raise ValueError("either `column` or `row_number = true`")


class Amount(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in major units (12.34) or minor ones (1234). Decimals beyond the currency's: an error, or rounded."""

    column: Name
    unit: Literal["major", "minor"] = "major"
    rounding: Literal["exact", "half_even"] = "exact"


class Time(Struct, frozen=True, forbid_unknown_fields=True):
    """A time: iso, epoch_s, epoch_ms, steps (each `step` long, from `start`) or a pattern such as %d/%m/%Y %H:%M.

    Several columns are joined by a space. Without an offset of its own a time is one of `zone`.
    """

    column: str = ""
    columns: tuple[Name, ...] = ()
    time: str = "iso"
    zone: str = "UTC"
    step: Annotated[str, Meta(pattern="^([1-9][0-9]{0,8}[smhd])?$")] = ""
    start: str = ""

    def __post_init__(self) -> None:
        if bool(self.column) == bool(self.columns):
            raise ValueError("either `column` or `columns`")
        if self.time not in {"iso", "epoch_s", "epoch_ms", "steps"} and "%" not in self.time:
            raise ValueError("`time` is iso, epoch_s, epoch_ms, steps or a pattern such as %d/%m/%Y %H:%M")
        if (self.time == "steps") != bool(self.step and self.start):
            raise ValueError('`step` and `start` belong to `time = "steps"`, which needs both')
        load_zone(self.zone)
        if self.start:
            parse_ms(self.start)


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Two columns of degrees."""

    lat: Name
    lon: Name


class When(Struct, frozen=True, forbid_unknown_fields=True):
    """True for rows in which the column is one of these texts, or begins with one of these."""

    column: Name
    is_: tuple[str, ...] = field(default=(), name="is")
    starts_with: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.is_) == bool(self.starts_with):
            raise ValueError("either `is` or `starts_with`")


Text = str | Cell
_KINDS: dict[str, Any] = {"amount": Amount, "occurred_at": Time, "original_occurred_at": Time, "location": Place}
_REQUIRED = ("transaction_id", "customer_id", "occurred_at", "amount", "currency", "transaction_type")
# Every field that a transaction has, so that a new one can be mapped on the day it is added; `source` is the file's.
Columns: type[Struct] = defstruct(
    "Columns",
    [(name, _KINDS.get(name, Text)) for name in _REQUIRED]
    + [
        (name, _KINDS.get(name, Text) | None, None)
        for name in Transaction.__struct_fields__
        if name not in (*_REQUIRED, "source")
    ]
    + [("when", tuple[When, ...], ())],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
)


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    """The column that tells what a row turned out to be, and what its texts mean; an empty cell is no label."""

    column: Name
    fraud: tuple[str, ...]
    genuine: tuple[str, ...] = ()
    inconclusive: tuple[str, ...] = ()


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file. A row makes a transaction of each of `transaction` whose conditions hold, in this order."""

    source: Annotated[str, Meta(min_length=1, max_length=128)]
    transaction: Annotated[tuple[Columns, ...], Meta(min_length=1)]  # type: ignore[valid-type]
    label: Label | None = None
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","

    @property
    def hashes(self) -> bool:
        """Whether any column is hashed, so that a key is needed."""
        parts = [part for entry in self.transaction for part in asdict(entry).values()]
        return any(isinstance(part, Cell) and part.hash for part in parts)


def in_currency(mapping: Mapping, code: str) -> Mapping:
    """The mapping with all amounts in another currency; as it is for an empty code.

    Raises:
        CommandError: there is no such currency, or the file tells the currency of each row.

    """
    if not code:
        return mapping
    if code not in EXPONENTS:
        raise CommandError(
            f"--currency {code} is not an ISO 4217 currency", "For example --currency EUR.", Exit.SETTINGS
        )
    if any(isinstance(asdict(entry)["currency"], Cell) for entry in mapping.transaction):
        raise CommandError(
            "--currency and a mapping that takes it from a column",
            "Leave --currency out, or change the mapping.",
            Exit.SETTINGS,
        )
    return replace(mapping, transaction=tuple(replace(entry, currency=code) for entry in mapping.transaction))


def columns_of(mapping: Mapping) -> set[str]:
    """The columns that a CSV must have."""
    parts = [part for entry in mapping.transaction for part in asdict(entry).values()]
    conditions = [condition for part in parts if isinstance(part, tuple) for condition in part]
    return {name for part in [*parts, *conditions, mapping.label] for name in _columns_of(part)}


def _columns_of(part: object) -> tuple[str, ...]:
    match part:
        case Cell(column="") | None:
            return ()
        case Time(columns=(_, *_)):
            return part.columns
        case Cell() | Amount() | Time() | When() | Label():
            return (part.column,)
        case Place():
            return (part.lat, part.lon)
        case _:
            return ()


def built_in() -> list[str]:
    """The names of the formats that ship with tierwatch."""
    return sorted(path.stem for path in FORMATS.glob("*.toml"))


def read_mapping(name: str) -> Mapping:
    """A built-in format, or the mapping file of that name.

    Raises:
        CommandError: there is none, or it is not one.

    """
    path = FORMATS / f"{name}.toml" if name in built_in() else Path(name)
    see = "docs/ingest.md describes mapping files; built in are " + ", ".join(built_in()) + "."
    try:
        return parse_mapping(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"no format {name}: {(error.strerror or str(error)).lower()}", see) from error
    except (ValueError, ValidationError) as error:
        raise CommandError(f"{path}: {error}", see) from error


def parse_mapping(text: str) -> Mapping:
    """The mapping of a TOML text; what stands under `common` holds for every transaction that says nothing else.

    Raises:
        ValueError: it is not one; the message says where.

    """
    document = tomllib.loads(text)
    common = document.pop("common", {})
    entries = document.get("transaction")
    if isinstance(common, dict) and isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        document["transaction"] = [common | entry for entry in entries]
    return convert(document, Mapping)
