"""YAML text to nodes that know where they stand.

Scalars stay text, so YAML's own guesses (`no` is false, `1:30` is 90, `010` is 8) never happen: whoever reads a field
knows what it must be. Of YAML only what a policy needs is allowed: no tags, no anchors and so no aliases, one document.
Events are used rather than `yaml.compose` because a loop over them has no recursion to exhaust.
"""

import re
from typing import Any, NamedTuple, TypeAlias

import yaml

from pipeline.policy.problems import Mark, PolicyError, Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 12
# Without libyaml PyYAML reads about 25,000 nodes a second; the default policy has about 600.
MAX_NODES = 25_000
# libyaml where PyYAML was built with it: twelve times as fast.
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class Scalar(NamedTuple):
    """A text; `plain` when it stands without quotes."""

    text: str
    plain: bool
    mark: Mark

    @property
    def is_nothing(self) -> bool:
        """Whether it says that no value is given."""
        return self.plain and self.text in _NOTHING


class Sequence(NamedTuple):
    """A list."""

    items: list["Node"]
    mark: Mark


class Entry(NamedTuple):
    """A key's place and its value."""

    mark: Mark
    node: "Node"


class Mapping(NamedTuple):
    """Names and values, in the order in which they stand."""

    entries: dict[str, Entry]
    mark: Mark


class Refused(NamedTuple):
    """Something already reported, so that nobody reports it twice."""

    mark: Mark


Node: TypeAlias = Scalar | Sequence | Mapping | Refused


class Document(NamedTuple):
    """The root node, and the problems of form that did not keep the rest from being read."""

    root: Node
    problems: list[Problem]


def read_document(data: bytes) -> Document:
    """Nodes of a YAML text.

    Raises:
        PolicyError: the bytes cannot be read as YAML at all; one problem says why.

    """
    text = _decode(data)
    try:
        composer = _composed(text, _QUICK)
    except yaml.YAMLError:
        # Once more for the reason: libyaml words and places it otherwise, and not every machine has it.
        composer = _explained(text)
    if composer.root is None:
        raise _fatal(Mark(1, 1), "the policy is empty: start from the default policy")
    return Document(composer.root, composer.problems)


def _composed(text: str, loader: Any) -> "_Composer":  # noqa: ANN401 - PyYAML has two loaders that share no type
    composer = _Composer()
    for event in yaml.parse(text, Loader=loader):
        composer.take(event)
    return composer


def _explained(text: str) -> "_Composer":
    try:
        return _composed(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _fatal(_mark(error.problem_mark or error.context_mark), _why(error)) from None
    except yaml.reader.ReaderError as error:
        # PyYAML gives the place as an offset, and the character as a number.
        code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
        raise _fatal(_mark_at(text, error.position), f"the character U+{code:04X} is not allowed in YAML") from None


def _fatal(mark: Mark, message: str) -> PolicyError:
    return PolicyError([Problem(*mark, "", message)])


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _fatal(Mark(1, 1), f"the file has {len(data)} bytes; a policy has at most {MAX_BYTES}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        raise _fatal(_mark_at(before, len(before)), "not UTF-8 here: save the file as UTF-8") from None


def _mark_at(text: str, position: int) -> Mark:
    line, start = 1, 0
    for found in _LINE_BREAK.finditer(text, 0, position):
        line, start = line + 1, found.end()
    return Mark(line, position - start + 1)


def _mark(mark: Any) -> Mark:  # noqa: ANN401 - PyYAML has a type of mark for each of its two parsers
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _why(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "not YAML"
    if "'\\t'" in problem:
        return "a tab cannot indent in YAML: use spaces"
    if error.context is None or error.context_mark is None:
        return f"not YAML: {problem}"
    return f"not YAML: {error.context} that begins in line {error.context_mark.line + 1}, {problem}"


class _Open:
    """A list or mapping whose end has not come yet."""

    def __init__(self, node: Sequence | Mapping) -> None:
        self.node = node
        self.key: tuple[str | None, Mark] | None = None  # a key that waits for its value; None when it was refused


class _Composer:
    """Builds nodes from parse events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event.

        Raises:
            PolicyError: the text goes beyond what a policy may be.

        """
        if isinstance(event, yaml.DocumentStartEvent):
            if self.root is not None:
                raise _fatal(_mark(event.start_mark), "a second document starts here; a policy is one document")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._place(self._open.pop().node)
        elif isinstance(event, yaml.NodeEvent):
            self._nodes += 1
            self._start(event, _mark(event.start_mark))

    def _start(self, event: yaml.NodeEvent, mark: Mark) -> None:
        if self._nodes > MAX_NODES:
            raise _fatal(mark, f"more than {MAX_NODES} values: this is no policy")
        if isinstance(event, yaml.AliasEvent):
            self._report(mark, f"an alias (*{event.anchor}) is not allowed: write the values out")
            self._place(Refused(mark))
            return
        if event.anchor is not None:
            self._report(mark, f"an anchor (&{event.anchor}) is not allowed: write the values out")
        if getattr(event, "tag", None) is not None:
            self._report(mark, "a tag (!) is not allowed: write the plain value")
        if isinstance(event, yaml.ScalarEvent):
            self._place(Scalar(event.value, not event.style, mark))
            return
        if len(self._open) >= MAX_DEPTH:
            raise _fatal(mark, f"nested more than {MAX_DEPTH} deep: this is no policy")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._open.append(_Open(Sequence([], mark) if is_list else Mapping({}, mark)))

    def _place(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        inside = self._open[-1]
        if isinstance(inside.node, Sequence):
            inside.node.items.append(node)
        elif inside.key is None:
            inside.key = (self._name(node, inside.node), node.mark)
        else:
            name, mark = inside.key
            inside.key = None
            if name is not None:
                inside.node.entries[name] = Entry(mark, node)

    def _name(self, node: Node, mapping: Mapping) -> str | None:
        if not isinstance(node, Scalar):
            if not isinstance(node, Refused):
                self._report(node.mark, "a name is expected here, not a list or mapping")
            return None
        if node.text in mapping.entries:
            first = mapping.entries[node.text].mark.line
            self._report(node.mark, f"{node.text!r} stands here twice, first in line {first}: keep one")
            return None
        return node.text

    def _report(self, mark: Mark, message: str) -> None:
        self.problems.append(Problem(*mark, "", message))
