"""A CSV's rows as transactions and dispositions, in the order of their times."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import asdict

from console.cells import CellError, Columns, MsOf, Row, TextOf, amount_reader, degrees, text_reader, time_reader
from console.mapping import Amount, Cell, Label, Mapping, Place, Time, When
from schemas.codec import Undecodable, decode_transaction
from schemas.disposition import Disposition
from schemas.disposition import Label as DispositionLabel
from schemas.timestamps import format_ms


class Outgoing(NamedTuple):
    """One record, stamped with its own time, epoch milliseconds."""

    at_ms: int
    topic: str
    key: bytes
    value: bytes


class Refused(NamedTuple):
    """A row that cannot be read: the line of the file it begins on, from 1, and what is wrong with it."""

    line: int
    message: str


@dataclass
class Counts:
    """What became of a file's rows; `refused` holds the first of `refused_rows`."""

    rows: int = 0
    transactions: int = 0
    dispositions: int = 0
    refused_rows: int = 0
    refused: list[Refused] = field(default_factory=list)


class _Made(NamedTuple):
    at_ms: int
    transaction_id: str
    customer_id: str
    value: bytes


_REFUSED_KEPT = 20


class Rows:
    """Turns rows into records as a mapping says. `columns`: where each column stands."""

    def __init__(
        self, mapping: Mapping, columns: Columns, hashed: Callable[[str], str], label_delay_ms: int | None
    ) -> None:
        """`label_delay_ms` is how long after its transaction a label is known; None for no labels."""
        self.counts = Counts()
        self._width = len(columns)
        self._source = mapping.source
        self._templates = [_Template(entry, mapping.source, columns, hashed) for entry in mapping.transaction]
        self._label = _label_reader(mapping.label, columns) if mapping.label and label_delay_ms is not None else None
        self._delay_ms = label_delay_ms or 0
        # Labels not known yet, the next one first: (known from, row, disposition).
        self._unknown: list[tuple[int, int, Disposition]] = []

    def records(self, rows: Iterable[tuple[int, Row | str]]) -> Iterator[Outgoing]:
        """Give the records of rows. Each row comes with its line; one that is no row comes as what is wrong with it."""
        for number, made, label in self._good(rows):
            for each in made:
                if self._unknown and self._unknown[0][0] <= each.at_ms:
                    yield from self._known_by(each.at_ms)
                self.counts.transactions += 1
                yield Outgoing(each.at_ms, "transactions", each.customer_id.encode(), each.value)
            if label:
                self._remember(made[0], label, number)
        while self._unknown:
            yield from self._known_by(self._unknown[0][0])

    def labelled(self, rows: Iterable[tuple[int, Row | str]]) -> Iterator[tuple[list[bytes], DispositionLabel | None]]:
        """Give of each row the transactions it makes, as JSON, and the label of the first, which is its sender's."""
        for _, made, label in self._good(rows):
            self.counts.transactions += len(made)
            yield [each.value for each in made], label

    def _good(
        self, rows: Iterable[tuple[int, Row | str]]
    ) -> Iterator[tuple[int, list[_Made], DispositionLabel | None]]:
        """Give what the good rows make, with their numbers; the others are refused."""
        for line, row in rows:
            number = self.counts.rows
            self.counts.rows += 1
            try:
                made, label = self._read(row, number)
            except CellError as error:
                self._refuse(Refused(line, str(error)))
                continue
            yield number, made, label

    def _read(self, row: Row | str, number: int) -> tuple[list[_Made], DispositionLabel | None]:
        if isinstance(row, str):
            raise CellError(row)
        if len(row) != self._width:
            raise CellError(f"{len(row)} cells instead of {self._width}")
        made = [template.make(row, number) for template in self._templates if template.applies(row)]
        if not made:
            raise CellError("the mapping makes no transaction of it: no `when` holds")
        return made, self._label(row) if self._label else None

    def _refuse(self, refused: Refused) -> None:
        self.counts.refused_rows += 1
        if len(self.counts.refused) < _REFUSED_KEPT:
            self.counts.refused.append(refused)

    def _remember(self, made: _Made, label: DispositionLabel, number: int) -> None:
        known_ms = made.at_ms + self._delay_ms
        disposition = Disposition(
            disposition_id=f"label-{made.transaction_id}"[:128],
            customer_id=made.customer_id,
            occurred_at=format_ms(known_ms),
            actor=self._source,
            label=label,
            status="final",
            transaction_id=made.transaction_id,
            source=self._source,
        )
        heappush(self._unknown, (known_ms, number, disposition))

    def _known_by(self, now_ms: int) -> Iterator[Outgoing]:
        while self._unknown and self._unknown[0][0] <= now_ms:
            at_ms, _, disposition = heappop(self._unknown)
            self.counts.dispositions += 1
            yield Outgoing(at_ms, "dispositions", disposition.customer_id.encode(), encode(disposition))


class _Template:
    """One transaction of a row; its readers are made once."""

    def __init__(self, entry: Struct, source: str, columns: Columns, hashed: Callable[[str], str]) -> None:
        self._constants: dict[str, Any] = {"source": source}
        self._texts: list[tuple[str, TextOf]] = []
        self._times: list[tuple[str, MsOf]] = []
        self._place: tuple[int, int] | None = None
        self._conditions: list[tuple[int, When]] = []
        for name, part in asdict(entry).items():
            match part:
                case str():
                    self._constants[name] = part
                case Cell():
                    self._texts.append((name, text_reader(part, columns, hashed)))
                case Amount():
                    self._amount = amount_reader(part, columns)
                case Time():
                    self._times.append((name, time_reader(part, columns)))
                case Place():
                    self._place = (columns[part.lat], columns[part.lon])
                case tuple():
                    self._conditions = [(columns[condition.column], condition) for condition in part]
                case _:
                    pass

    def applies(self, row: Row) -> bool:
        """Whether a row makes this transaction."""
        for index, condition in self._conditions:
            text = row[index]
            if not (text in condition.is_ if condition.is_ else text.startswith(condition.starts_with)):
                return False
        return True

    def make(self, row: Row, number: int) -> _Made:
        """The transaction as a processor would send it, checked by the codec that workers use."""
        fields = self._constants.copy()
        for name, text_of in self._texts:
            if text := text_of(row, number):
                fields[name] = text
        at_ms = 0
        for name, ms_of in self._times:
            moment_ms = ms_of(row)
            if moment_ms is not None:
                fields[name] = _written(moment_ms)
                at_ms = moment_ms if name == "occurred_at" else at_ms
        fields["amount"] = self._amount(row, fields.get("currency", ""))
        if self._place is not None and (row[self._place[0]] or row[self._place[1]]):
            fields["location"] = {"lat": degrees(row[self._place[0]]), "lon": degrees(row[self._place[1]])}
        try:
            value = encode(fields)
            decode_transaction(value)
        except UnicodeEncodeError:
            raise CellError("not UTF-8") from None
        except Undecodable as error:
            raise CellError(f"{error.reason}: {error.detail}") from None
        return _Made(at_ms, fields["transaction_id"], fields["customer_id"], value)


def _written(moment_ms: int) -> str:
    try:
        return format_ms(moment_ms)
    except (ValueError, OverflowError):
        raise CellError("the time lies outside the years 1 to 9999") from None


def _label_reader(label: Label, columns: Columns) -> Callable[[Row], DispositionLabel | None]:
    index = columns[label.column]
    meanings: dict[str, DispositionLabel | None] = {"": None}
    meanings |= dict.fromkeys(label.genuine, "genuine")
    meanings |= dict.fromkeys(label.fraud, "fraud")
    meanings |= dict.fromkeys(label.inconclusive, "inconclusive")

    def read(row: Row) -> DispositionLabel | None:
        try:
            return meanings[row[index]]
        except KeyError:
            raise CellError(f"a label that the mapping does not name, in column {label.column}") from None

    return read
