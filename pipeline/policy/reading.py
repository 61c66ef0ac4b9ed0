"""What reading a policy leaves beside its values: problems, each at its place and in words."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from pipeline.policy.nodes import Mapping, Node, Refused, Scalar, Sequence
from pipeline.policy.problems import Mark, Problem

Path = tuple[str | int, ...]
# Comparing two long names takes time in the square of their length, and no field has a long name.
_LONGEST_NAME_COMPARED = 64
_LONGEST_TEXT_SHOWN = 40
_FEW = 20


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
                words += f"[{shown(name.text) if isinstance(name, Scalar) and name.text else step}]"
            else:
                words += f".{shown(step)}" if words else shown(step)
        return words


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
        return node.entries[step].node
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


class Finding(NamedTuple):
    """Something that must not be. `path` is where to mend it; `others` are further fields that it follows from."""

    path: Path
    message: str
    others: tuple[Path, ...] = ()


def shown(text: str) -> str:
    """A text short enough for a message."""
    return text if len(text) <= _LONGEST_TEXT_SHOWN else f"{text[:_LONGEST_TEXT_SHOWN]}..."


def found(node: Node) -> str:
    """What stands there, in words."""
    if isinstance(node, Scalar):
        return "nothing" if node.is_nothing else repr(shown(node.text))
    return "a list" if isinstance(node, Sequence) else "a mapping"


def near(name: str, known: Collection[str]) -> str:
    """A hint at the known name that was probably meant, else at all of them if they are few."""
    if len(name) <= _LONGEST_NAME_COMPARED:
        as_known = {one.casefold(): one for one in known}
        close = get_close_matches(name.casefold(), as_known, n=1)
        if close:
            return f"did you mean {as_known[close[0]]}?"
    return f"known are {', '.join(known)}" if len(known) <= _FEW else "look up how it is written"


def repeats(values: Iterable[object]) -> Iterator[int]:
    """Where a value stands again."""
    seen: Counter[object] = Counter()
    for at, value in enumerate(values):
        if seen[value]:
            yield at
        seen[value] += 1
