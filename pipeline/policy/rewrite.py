"""A policy's text with other values in it: comments, order and spaces stay as the officer wrote them."""

from collections.abc import Mapping

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import format_amount
from pipeline.policy.load import load_policy
from pipeline.policy.model import COUNT_RULES
from pipeline.policy.nodes import Mapping as MappingNode
from pipeline.policy.nodes import Node, Scalar, Sequence, read_document


def with_limits(yaml: bytes, limits: Mapping[str, Mapping[str, int]], version: int) -> bytes:
    """The policy with these limits, by tier and rule, in minor units or a count, and a version of its own.

    Raises:
        PolicyError: the text is no policy, or would be none with these limits.

    """
    exponent = EXPONENTS[load_policy(yaml).base_currency]
    root = read_document(yaml).root
    found: dict[tuple[str | int, ...], str] = {("version",): str(version)}
    for at, tier in enumerate(_items(_at(root, "tiers"))):
        name = _text(_at(tier, "name"))
        for rule, limit in limits.get(name, {}).items():
            found["tiers", at, "limits", rule] = str(limit) if rule in COUNT_RULES else format_amount(limit, exponent)
    lines = yaml.decode().split("\n")
    places = sorted(((_scalar(root, path), text) for path, text in found.items()), key=lambda one: one[0].mark)
    for node, text in reversed(places):
        _put(lines, node, text)
    return _loadable(lines)


def with_section(yaml: bytes, name: str, section: str, version: int) -> bytes:
    """The policy with this text for the section `name`, which it may have or not, and a version of its own.

    Raises:
        PolicyError: the text is no policy, or would be none with this section.

    """
    load_policy(yaml)
    root = read_document(yaml).root
    lines = yaml.decode().split("\n")
    _put(lines, _scalar(root, ("version",)), str(version))
    new = section.rstrip("\n").split("\n")
    entry = root.entries.get(name) if isinstance(root, MappingNode) else None
    if entry is None:
        while lines and not lines[-1]:
            del lines[-1]
        return _loadable([*lines, "", *new, ""])
    lines[entry.mark.line - 1 : _last_line(entry.node)] = new
    return _loadable(lines)


def _put(lines: list[str], node: Scalar, text: str) -> None:
    line, column = node.mark.line - 1, node.mark.column - 1
    length = len(node.text) + (0 if node.plain else 2)
    lines[line] = f"{lines[line][:column]}{text}{lines[line][column + length :]}"


def _loadable(lines: list[str]) -> bytes:
    changed = "\n".join(lines).encode()
    load_policy(changed)
    return changed


def _last_line(node: Node) -> int:
    """The last line on which something of it begins."""
    below: list[Node] = []
    if isinstance(node, MappingNode):
        below = [entry.node for entry in node.entries.values()]
    elif isinstance(node, Sequence):
        below = list(node.items)
    return max([node.mark.line, *map(_last_line, below)])


def _scalar(root: Node, path: tuple[str | int, ...]) -> Scalar:
    node = root
    for step in path:
        node = _at(node, step)
    if not isinstance(node, Scalar):
        raise TypeError(f"no value at {path}")
    return node


def _at(node: Node, step: str | int) -> Node:
    if isinstance(node, MappingNode) and isinstance(step, str):
        return node.entries[step].node
    if isinstance(node, Sequence) and isinstance(step, int):
        return node.items[step]
    raise TypeError(f"nothing at {step}")


def _items(node: Node) -> list[Node]:
    return list(node.items) if isinstance(node, Sequence) else []


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""
