"""All trees asked of all payments at once, in whole numbers: the same on every machine, and in every batch.

Instead of walking, each figure strikes out the leaves that it makes unreachable, a bit for each leaf; what is left
leftmost is the leaf (QuickScorer, Lucchese and others, 2015). What a figure strikes out depends on between which
thresholds it lies, so it is looked up, for all trees together.
"""

from collections.abc import Sequence
from itertools import starmap
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.learned.text import Tree

# Leaves in millionths of a logit: added up as whole numbers, no order of adding makes a difference.
PER_LOGIT: Final = 1_000_000
# So many payments at a time stay in the processor's cache.
_AT_ONCE: Final = 512
Bits = npt.NDArray[np.unsignedinteger[Any]]
_LEFTMOST: Final = np.array([0, *[(each & -each).bit_length() - 1 for each in range(1, 1 << 16)]], dtype=np.uint8)


class _Column(NamedTuple):
    """A feature: the thresholds between which `left` (slices, trees) says what is left; none for categories."""

    feature: int
    thresholds: npt.NDArray[np.float64] | None
    left: Bits


class Forest:
    """Trees made ready to be asked."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        """Order the leaves of each tree from left to right, and work out what each figure leaves of them."""
        self.trees = tuple(trees)
        orders = [_leaves_in_order(tree) for tree in trees]
        self._width = max(map(len, orders))
        self._bits = np.dtype(np.uint8 if self._width <= 8 else np.uint16 if self._width <= 16 else np.uint32)  # noqa: PLR2004 - bits
        whole = np.array([(1 << len(order)) - 1 for order in orders], dtype=self._bits)
        self._columns = list(starmap(self._column, _splits_by_feature(trees, orders).items()))
        self._whole = whole
        values = np.zeros((len(orders), self._width), dtype=np.int64)
        for number, (tree, order) in enumerate(zip(trees, orders, strict=True)):
            values[number, : len(order)] = [round(tree.leaves[leaf] * PER_LOGIT) for leaf in order]
        self._values = values.ravel()
        self._first_leaf = np.arange(len(orders), dtype=np.intp) * self._width

    def logits(self, figures: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """What the trees say together, millionths of a logit: (payments, features) to (payments,)."""
        found = np.empty(len(figures), dtype=np.int64)
        trees = len(self.trees)
        left = np.empty((min(len(figures), _AT_ONCE), trees), dtype=self._bits)
        struck, leaf = np.empty_like(left), np.empty(left.shape, dtype=np.intp)
        for begin in range(0, len(figures), _AT_ONCE):
            some = figures[begin : begin + _AT_ONCE]
            rows = len(some)
            left[:rows] = self._whole
            for feature, thresholds, what_is_left in self._columns:
                slices = _slices(some[:, feature], thresholds, len(what_is_left))
                # Twice as fast as an index; nothing is beyond the end.
                np.take(what_is_left, slices, axis=0, out=struck[:rows], mode="clip")
                np.bitwise_and(left[:rows], struck[:rows], out=left[:rows])
            np.add(_leftmost(left[:rows]), self._first_leaf, out=leaf[:rows])
            found[begin : begin + rows] = np.take(self._values, leaf[:rows], mode="clip").sum(axis=1)
        return found

    def _column(self, feature: int, splits: "list[_Struck]") -> _Column:
        trees = len(self.trees)
        if splits[0].categories is not None:
            # One more than the largest, for all that no split names.
            names = 2 + max([max(split.categories or (0,)) for split in splits])
            left = np.full((names, trees), ~np.zeros((), self._bits), dtype=self._bits)
            for split in splits:
                outside = np.ones(names, dtype=np.bool_)
                outside[list(split.categories or ())] = False
                left[outside, split.tree] &= self._bits.type(split.left)
            return _Column(feature, None, left)
        thresholds = np.unique([split.threshold for split in splits])
        left = np.full((len(thresholds) + 1, trees), ~np.zeros((), self._bits), dtype=self._bits)
        for split in splits:
            left[int(np.searchsorted(thresholds, split.threshold)) + 1 :, split.tree] &= self._bits.type(split.left)
        return _Column(feature, thresholds, left)


class _Struck(NamedTuple):
    """A split of a tree, and the bits of the leaves that are left where a figure does not go left."""

    tree: int
    threshold: float
    categories: frozenset[int] | None
    left: int


def _slices(
    figure: npt.NDArray[np.float32], thresholds: npt.NDArray[np.float64] | None, count: int
) -> npt.NDArray[np.intp]:
    """Between which thresholds each figure lies; of a category its number, the last slice where nobody knows it."""
    if thresholds is not None:
        return np.searchsorted(thresholds, figure.astype(np.float64))
    known = (figure >= 0) & (figure < count - 1)
    return np.where(known, figure, count - 1).astype(np.intp)


def _leftmost(left: Bits) -> npt.NDArray[np.uint8]:
    """The place of the lowest bit."""
    if left.dtype.itemsize <= 2:  # noqa: PLR2004 - bytes: all of them are in the table
        return np.take(_LEFTMOST, left, mode="clip")
    low = left & np.uint32(0xFFFF)
    of_high = np.uint8(16) + np.take(_LEFTMOST, left >> np.uint32(16), mode="clip")
    return np.where(low, np.take(_LEFTMOST, low, mode="clip"), of_high)


def contributions(trees: Sequence[Tree], figures: Sequence[float]) -> tuple[int, dict[int, int]]:
    """What the trees begin with, and what each feature adds on the way to the leaves, in millionths of a logit.

    Each split adds to its feature how much the tree's average changes there (Saabas): together they are the logit.
    """
    base, of = 0, dict[int, int]()
    for tree in trees:
        said = round((tree.splits[0].value if tree.splits else tree.leaves[0]) * PER_LOGIT)
        base += said
        at = 0 if tree.splits else -1
        while at >= 0:
            split = tree.splits[at]
            figure = figures[split.feature]
            goes_left = figure <= split.threshold if split.categories is None else figure in split.categories
            at = split.left if goes_left else split.right
            next_ = round((tree.splits[at].value if at >= 0 else tree.leaves[~at]) * PER_LOGIT)
            of[split.feature] = of.get(split.feature, 0) + next_ - said
            said = next_
    return base, of


def _leaves_in_order(tree: Tree) -> list[int]:
    """The leaves from left to right."""
    found, waiting = [], [0 if tree.splits else -1]
    while waiting:
        at = waiting.pop()
        if at < 0:
            found.append(~at)
        else:
            waiting += [tree.splits[at].right, tree.splits[at].left]
    return found


def _splits_by_feature(trees: Sequence[Tree], orders: Sequence[list[int]]) -> dict[int, list[_Struck]]:
    found: dict[int, list[_Struck]] = {}
    for number, (tree, order) in enumerate(zip(trees, orders, strict=True)):
        place = {leaf: at for at, leaf in enumerate(order)}
        for split in tree.splits:
            under = sum(1 << place[leaf] for leaf in _under(tree, split.left))
            left = ((1 << len(order)) - 1) & ~under
            found.setdefault(split.feature, []).append(_Struck(number, split.threshold, split.categories, left))
    return found


def _under(tree: Tree, at: int) -> list[int]:
    found, waiting = [], [at]
    while waiting:
        at = waiting.pop()
        if at < 0:
            found.append(~at)
        else:
            waiting += [tree.splits[at].left, tree.splits[at].right]
    return found
