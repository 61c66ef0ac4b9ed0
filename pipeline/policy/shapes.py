"""What a value in a policy may look like: one shape reads it, describes it to a person, and to an editor."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple

from pipeline.policy.nodes import Mapping, Node, Refused, Scalar, Sequence
from pipeline.policy.problems import Mark, Problem

Path = tuple[str | int, ...]
# Comparing two long names takes time in the square of their length, and no field has a long name.
_LONGEST_NAME_COMPARED = 64
_LONGEST_TEXT_SHOWN = 40


class Reading:
    """What reading leaves beside the values: the problems, and which paths hold a placeholder because of one."""

    def __init__(self, root: Node, exponent: int) -> None:
        """Read below `root`; `exponent` is the number of digits after the point in the base currency."""
        self.root = root
        self.exponent = exponent
        self.problems: list[Problem] = []
        self.unreadable: set[Path] = set()

    def report(self, path: Path, mark: Mark, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(*mark, self.describe(path), message))

    def refuse(self, path: Path, node: Node, message: str) -> None:
        """Note that the value at `path` could not be read."""
        self.unreadable.add(path)
        if not isinstance(node, Refused):
            self.report(path, node.mark, message)

    def miss(self, path: Path, mark: Mark, message: str) -> None:
        """Note that the value at `path` is missing; `mark` is where it should stand."""
        self.unreadable.add(path)
        self.report(path, mark, message)

    def mark(self, path: Path) -> Mark:
        """Where the value at `path` stands, or the nearest thing around it that exists."""
        node = self.root
        for step in path:
            below = _below(node, step)
            if below is None:
                break
            node = below
        return node.mark

    def describe(self, path: Path) -> str:
        """The path in words: list items by their name where they have one."""
        words = ""
        node: Node | None = self.root
        for step in path:
            node = _below(node, step) if node is not None else None
            if isinstance(step, int):
                name = _below(node, "name") if node is not None else None
                words += f"[{_shown(name.text) if isinstance(name, Scalar) and name.text else step}]"
            else:
                words += f".{_shown(step)}" if words else _shown(step)
        return words


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
        return node.entries[step].node
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT_SHOWN else f"{text[:_LONGEST_TEXT_SHOWN]}..."


def found(node: Node) -> str:
    """What stands there, in words."""
    if isinstance(node, Scalar):
        return "nothing" if node.is_nothing else repr(_shown(node.text))
    return "a list" if isinstance(node, Sequence) else "a mapping"


def near(name: str, known: Collection[str]) -> str:
    """A hint at the known name that was probably meant, else at all of them if they are few."""
    if len(name) <= _LONGEST_NAME_COMPARED:
        close = get_close_matches(name, known, n=1)
        if close:
            return f"did you mean {close[0]}?"
    few = 20
    return f"known are {', '.join(known)}" if len(known) <= few else "it is not a known name"


class Shape(ABC):
    """Reads one kind of value."""

    # Put behind a field's name to get the name in the model: units stand in names there.
    unit: str = ""
    # Has the type of what `read` gives; stands in where nothing could be read, and leads to no decision.
    placeholder: Any
    # What is expected, as in "expected ...".
    words: str

    @abstractmethod
    def read(self, node: Node, path: Path, reading: Reading) -> Any:  # noqa: ANN401 - each shape its own type
        """Give the value, or report a problem and give the placeholder."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON Schema of what can be read."""


class Leaf(Shape):
    """A shape read from one scalar's text."""

    @abstractmethod
    def parse(self, text: str, reading: Reading) -> Any:  # noqa: ANN401
        """Give the value of a text.

        Raises:
            ValueError: it is none; the message, unless empty, says more than `words`.

        """

    def read(self, node: Node, path: Path, reading: Reading) -> Any:  # noqa: ANN401
        """Give the value of a scalar."""
        why = ""
        if isinstance(node, Scalar) and not node.is_nothing:
            try:
                return self.parse(node.text, reading)
            except ValueError as error:
                why = str(error)
        reading.refuse(path, node, why or f"expected {self.words}, found {found(node)}")
        return self.placeholder


class Choice(Leaf):
    """One of a few words."""

    def __init__(self, *values: str) -> None:
        self.values = values
        self.placeholder = values[0]
        self.words = f"one of {', '.join(values)}"

    def parse(self, text: str, reading: Reading) -> str:  # noqa: ARG002
        """Give the word."""
        if text in self.values:
            return text
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"enum": list(self.values)}


class Known(Leaf):
    """A name from a long list kept elsewhere, such as currencies or time zones."""

    def __init__(self, words: str, names: Collection[str], pattern: str, placeholder: str) -> None:
        self.words = words
        self.names = names
        self.pattern = pattern
        self.placeholder = placeholder

    def parse(self, text: str, reading: Reading) -> str:  # noqa: ARG002
        """Give the name."""
        if text in self.names:
            return text
        raise ValueError(f"expected {self.words}, found {_shown(text)!r}: {near(text, self.names)}")

    def schema(self) -> dict[str, Any]:
        """A pattern: the list is too long for an editor's hint."""
        return {"type": "string", "pattern": self.pattern}


class Text(Leaf):
    """A text that matches a pattern as a whole."""

    placeholder = ""

    def __init__(self, words: str, pattern: str) -> None:
        self.words = words
        self.pattern = pattern
        self._matches = re.compile(pattern, re.ASCII).fullmatch

    def parse(self, text: str, reading: Reading) -> str:  # noqa: ARG002
        """Give the text."""
        if self._matches(text):
            return text
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """The pattern."""
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


class Integer(Leaf):
    """A whole number in decimal digits, both bounds included."""

    placeholder = 0

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most
        self.words = f"a whole number from {least} to {most}"

    def parse(self, text: str, reading: Reading) -> int:  # noqa: ARG002
        """Give the number."""
        if re.fullmatch("0|-?[1-9][0-9]{0,17}", text) and self.least <= int(text) <= self.most:
            return int(text)
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """An integer within bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Flag(Leaf):
    """True or false; `yes` and `on` mean different things to different readers of YAML."""

    placeholder = False
    words = "true or false"
    _values: ClassVar = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

    def parse(self, text: str, reading: Reading) -> bool:  # noqa: ARG002
        """Give the truth."""
        if text in self._values:
            return bool(self._values[text])
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


class ListOf(Shape):
    """A list of one shape; `least` items at least."""

    placeholder = ()

    def __init__(self, item: Shape, words: str, least: int = 0, most: int = 1000) -> None:
        self.item = item
        self.unit = item.unit
        self.words = words
        self.least = least
        self.most = most

    def read(self, node: Node, path: Path, reading: Reading) -> tuple[Any, ...]:
        """Give the items."""
        if not isinstance(node, Sequence):
            reading.refuse(path, node, f"expected {self.words}, found {found(node)}{self._none(node)}")
            return ()
        if not self.least <= len(node.items) <= self.most:
            bound = f"at least {self.least}" if len(node.items) < self.least else f"at most {self.most}"
            reading.refuse(path, node, f"expected {self.words}, {bound}, found {len(node.items)}")
        return tuple(self.item.read(item, (*path, at), reading) for at, item in enumerate(node.items))

    def _none(self, node: Node) -> str:
        return "; write [] for none" if isinstance(node, Scalar) and node.is_nothing and not self.least else ""

    def schema(self) -> dict[str, Any]:
        """An array."""
        return {"type": "array", "items": self.item.schema(), "minItems": self.least, "maxItems": self.most}


class MapOf(Shape):
    """A mapping from names of one's own choice to one shape; `least` entries at least."""

    def __init__(self, name: Text, value: Shape, words: str, least: int = 0) -> None:
        self.name = name
        self.value = value
        self.words = words
        self.least = least
        self.placeholder: dict[str, Any] = {}

    def read(self, node: Node, path: Path, reading: Reading) -> dict[str, Any]:
        """Give the entries."""
        if not isinstance(node, Mapping):
            reading.refuse(path, node, f"expected {self.words}, found {found(node)}")
            return {}
        if len(node.entries) < self.least:
            reading.refuse(path, node, f"expected {self.words}, at least {self.least}")
        values = {}
        for name, entry in node.entries.items():
            self.name.read(Scalar(name, plain=False, mark=entry.mark), (*path, name), reading)
            values[name] = self.value.read(entry.node, (*path, name), reading)
        return values

    def schema(self) -> dict[str, Any]:
        """An object with any names that match."""
        return {
            "type": "object",
            "propertyNames": self.name.schema(),
            "additionalProperties": self.value.schema(),
            "minProperties": self.least,
        }


class Field(NamedTuple):
    """A field of a record: its shape and what it means. Without a default it must be given."""

    shape: Shape
    meaning: str
    required: bool = True
    default: Any = None


class Record(Shape):
    """A mapping with known fields. Values come back under the model's names: the field's name and its shape's unit."""

    def __init__(self, words: str, fields: dict[str, Field]) -> None:
        self.words = words
        self.fields = fields
        self.placeholder: dict[str, Any] = {
            name + field.shape.unit: field.shape.placeholder if field.required else field.default
            for name, field in fields.items()
        }

    def read(self, node: Node, path: Path, reading: Reading) -> dict[str, Any]:
        """Give the fields."""
        if not isinstance(node, Mapping):
            reading.refuse(path, node, f"expected {self.words}, found {found(node)}")
            return self.placeholder
        for name, entry in node.entries.items():
            if name not in self.fields:
                message = f"unknown field {_shown(name)!r}: {near(name, self.fields)}"
                reading.report((*path, name), entry.mark, message)
        values = dict(self.placeholder)
        for name, field in self.fields.items():
            if name in node.entries:
                values[name + field.shape.unit] = field.shape.read(node.entries[name].node, (*path, name), reading)
            elif field.required:
                message = f"{name} is missing: {field.meaning[:1].lower()}{field.meaning[1:]}"
                reading.miss((*path, name), node.mark, f"{message} Expected {field.shape.words}.")
        return values

    def schema(self) -> dict[str, Any]:
        """An object with these fields and no others."""
        return {
            "type": "object",
            "properties": {
                name: {"description": field.meaning, **field.shape.schema()} for name, field in self.fields.items()
            },
            "required": [name for name, field in self.fields.items() if field.required],
            "additionalProperties": False,
        }
