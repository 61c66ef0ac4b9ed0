"""What a single value in a policy may look like: one shape reads it, describes it to a person, and to an editor."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

from pipeline.policy.nodes import Node, Scalar
from pipeline.policy.reading import Path, Reading, found, near, shown


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

    def say(self, value: Any, exponent: int) -> str:  # noqa: ANN401, ARG002 - as `parse`; amounts need the exponent
        """The value in words, for a person who compares two policies."""
        return str(value)

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
        raise ValueError(f"expected {self.words}, found {shown(text)!r}: {near(text, self.names)}")

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

    def say(self, value: bool, exponent: int) -> str:  # noqa: ARG002, FBT001 - a shape's signature
        """As it is written."""
        return "true" if value else "false"

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}
