"""LightGBM's text of a model, read by ourselves: what does not fit is named, and nothing of it is ever run.

LightGBM trusts such a text and walks wherever it points. Whoever can publish a file could then stop every worker; so
the text is checked here, tree by tree, and walked by `pipeline.learned.forest`.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite
from typing import Final, NamedTuple

MOST_BYTES: Final = 900_000
MOST_TREES: Final = 400
MOST_LEAVES: Final = 32
MOST_FEATURES: Final = 100
MOST_CATEGORIES: Final = 1_024
# Leaves hold logits; the first tree's hold the base rate's too.
_LARGEST_LEAF: Final = 100.0
_WORD_BITS: Final = 32
# LightGBM's flags of a split; those about values that are no number mean nothing here, where each figure is one.
_CATEGORICAL: Final = 1
_DEFAULT_LEFT: Final = 2
_NO_NUMBER: Final = 8


class ModelTextError(ValueError):
    """The text is no model that can be used here; the message says where and why."""


class Split(NamedTuple):
    """A figure up to `threshold` goes left, or where there are `categories`, one of them.

    Children below 0 are leaves: -1 is the first. `value` is what the tree says here on average, in logits.
    """

    feature: int
    threshold: float
    categories: frozenset[int] | None
    left: int
    right: int
    value: float


class Tree(NamedTuple):
    """The first split is the root; a tree of one leaf has none."""

    splits: tuple[Split, ...]
    leaves: tuple[float, ...]


def read_trees(text: str, features: int) -> list[Tree]:
    """The trees of a model of so many features.

    Raises:
        ModelTextError: it is none of a kind that is known here.

    """
    if len(text) > MOST_BYTES:
        raise ModelTextError(f"the text has {len(text)} characters; {MOST_BYTES} are the most")
    head, *rest = text.partition("\nend of trees")[0].split("\nTree=")
    if not rest or len(rest) > MOST_TREES:
        raise ModelTextError(f"{len(rest)} trees; there must be 1 to {MOST_TREES}")
    told = _fields(head, "the head")
    for name, wanted in (("num_class", "1"), ("num_tree_per_iteration", "1"), ("objective", "binary sigmoid:1")):
        if told.get(name) != wanted:
            raise ModelTextError(f"{name} is {told.get(name, 'missing')!r:.40}; only {wanted} is known here")
    if not 0 < features <= MOST_FEATURES or told.get("max_feature_idx") != str(features - 1):
        raise ModelTextError(f"the text is not of {features} features")
    trees = [_tree(_fields(each, f"tree {number}"), f"tree {number}", features) for number, each in enumerate(rest)]
    both = {(split.feature, split.categories is None) for tree in trees for split in tree.splits}
    for feature in range(features):
        if {(feature, True), (feature, False)} <= both:
            raise ModelTextError(f"feature {feature} is a number in one place and a category in another")
    return trees


def _fields(text: str, where: str) -> dict[str, str]:
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            if name in fields:
                raise ModelTextError(f"{where}: {name[:40]} stands twice")
            fields[name] = value
    return fields


def _tree(told: Mapping[str, str], where: str, features: int) -> Tree:
    size = _integers(told, "num_leaves", where, 1)[0]
    if not 1 <= size <= MOST_LEAVES:
        raise ModelTextError(f"{where}: {size} leaves; there must be 1 to {MOST_LEAVES}")
    if told.get("is_linear", "0") != "0":
        raise ModelTextError(f"{where}: its leaves are linear models")
    leaves = _floats(told, "leaf_value", where, size)
    if any(abs(leaf) > _LARGEST_LEAF for leaf in leaves):
        raise ModelTextError(f"{where}: a leaf beyond {_LARGEST_LEAF:g} logits")
    if size == 1:
        return Tree((), leaves)
    count = size - 1
    thresholds, values = (_floats(told, name, where, count) for name in ("threshold", "internal_value"))
    kinds, of, left, right = (
        _integers(told, name, where, count) for name in ("decision_type", "split_feature", "left_child", "right_child")
    )
    sets = _sets(told, where)
    splits = []
    for kind, feature, threshold, one, other, value in zip(kinds, of, thresholds, left, right, values, strict=True):
        if kind & ~(_CATEGORICAL | _DEFAULT_LEFT | _NO_NUMBER):
            raise ModelTextError(f"{where}: a split of type {kind}, to which nought is no value")
        if not 0 <= feature < features:
            raise ModelTextError(f"{where}: feature {feature} of {features}")
        categories = None
        if kind & _CATEGORICAL:
            if threshold not in range(len(sets)):
                raise ModelTextError(f"{where}: set of categories {threshold:g} of {len(sets)}")
            categories = sets[int(threshold)]
        splits.append(Split(feature, threshold, categories, one, other, value))
    tree = Tree(tuple(splits), leaves)
    _check_shape(tree, where)
    return tree


def _check_shape(tree: Tree, where: str) -> None:
    """Every split and every leaf is reached from the root, once."""
    seen: set[int] = set()
    waiting = [0]
    while waiting:
        at = waiting.pop()
        if at in seen or not -len(tree.leaves) <= at < len(tree.splits):
            raise ModelTextError(f"{where}: its branches are no tree at {at}")
        seen.add(at)
        if at >= 0:
            waiting += [tree.splits[at].left, tree.splits[at].right]
    if len(seen) != len(tree.splits) + len(tree.leaves):
        raise ModelTextError(f"{where}: some of it is never reached")


def _sets(told: Mapping[str, str], where: str) -> list[frozenset[int]]:
    count = _integers(told, "num_cat", where, 1)[0] if "num_cat" in told else 0
    if not count:
        return []
    if not 0 < count < MOST_LEAVES:
        raise ModelTextError(f"{where}: {count} sets of categories")
    bounds = _integers(told, "cat_boundaries", where, count + 1)
    if bounds[0] != 0 or bounds[-1] > count * MOST_CATEGORIES // _WORD_BITS or sorted(bounds) != list(bounds):
        raise ModelTextError(f"{where}: sets of categories without order")
    words = _integers(told, "cat_threshold", where, bounds[-1])
    sets = []
    for begin, end in pairwise(bounds):
        of_set = words[begin:end]
        if len(of_set) > MOST_CATEGORIES // _WORD_BITS or any(not 0 <= word < 1 << _WORD_BITS for word in of_set):
            raise ModelTextError(f"{where}: a set of too many categories")
        bits = ((at * _WORD_BITS + bit, word >> bit & 1) for at, word in enumerate(of_set) for bit in range(_WORD_BITS))
        sets.append(frozenset(category for category, inside in bits if inside))
    return sets


def _words(told: Mapping[str, str], name: str, where: str, count: int) -> list[str]:
    words = told.get(name, "").split()
    if len(words) != count:
        raise ModelTextError(f"{where}: {len(words)} of {name}; {count} are needed")
    return words


def _integers(told: Mapping[str, str], name: str, where: str, count: int) -> tuple[int, ...]:
    try:
        return tuple([int(word) for word in _words(told, name, where, count)])
    except ValueError as error:
        raise error if isinstance(error, ModelTextError) else ModelTextError(f"{where}: {name} is no number") from None


def _floats(told: Mapping[str, str], name: str, where: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple([float(word) for word in _words(told, name, where, count)])
    except ValueError as error:
        raise error if isinstance(error, ModelTextError) else ModelTextError(f"{where}: {name} is no number") from None
    if not all(map(isfinite, numbers)):
        raise ModelTextError(f"{where}: {name} is not finite")
    return numbers
