"""What a list, a mapping and a record in a policy may look like."""

from typing import Any, Literal, NamedTuple

from pipeline.policy.nodes import Mapping, Node, Scalar, Sequence
from pipeline.policy.reading import Path, Reading, found, near, shown
from pipeline.policy.shapes import Shape, Text


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
    """A field of a record: its shape and what it means. Without a default it must be given.

    `tighter` is the direction in which it allows a customer less; of a choice, its place among the values counts.
    """

    shape: Shape
    meaning: str
    required: bool = True
    default: Any = None
    tighter: Literal["lower", "higher"] | None = None


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
                message = f"unknown field {shown(name)!r}: {near(name, self.fields)}"
                reading.report((*path, name), entry.mark, message)
        values = dict(self.placeholder)
        for name, field in self.fields.items():
            if name in node.entries:
                values[name + field.shape.unit] = field.shape.read(node.entries[name].node, (*path, name), reading)
            elif field.required:
                what = f"{field.meaning[:1].lower()}{field.meaning[1:].rstrip('.')}"
                reading.miss((*path, name), node.mark, f"{name} is missing ({what}): expected {field.shape.words}")
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
