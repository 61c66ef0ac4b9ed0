"""Where a figure is cut: first without labels, then neighbours whose labels tell the same are joined."""

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.points.rule import Slicing

Floats = npt.NDArray[np.float64]
Figures = npt.NDArray[np.float32]

# Two payments at the base rate are thought in addition to those of every cell: an empty cell says nothing.
PRIOR: Final = 2.0
_TAILS: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
_QUANTILES: Final = np.array([*_TAILS, 0.4, 0.5, 0.6, *(1 - tail for tail in reversed(_TAILS))])
_SHARES: Final = np.linspace(0, 1, 33)[1:-1]
_DOUBLINGS: Final = np.array([0.0, *(2.0**power for power in range(-4, 13))], dtype=np.float32)
_MOST_WHOLE: Final = 64


def first_edges(figures: Figures, slicing: Slicing) -> Figures:
    """The edges between slices of `figures`, the unlabelled past, float32 of (n,): ascending."""
    if not len(figures):
        return np.zeros(0, dtype=np.float32)
    match slicing:
        case "whole":
            least, most = np.clip((figures.min(), figures.max()), -1, _MOST_WHOLE)
            return np.arange(least + 1, most + 1, dtype=np.float32)
        case "doubling":
            return _DOUBLINGS
        case "tails" | "shares":
            quantiles = _QUANTILES if slicing == "tails" else _SHARES
            # Three digits: people read these numbers, and no fourth one ever told more.
            edges = [float(f"{edge:.3g}") for edge in np.quantile(figures, quantiles)]
            return np.unique(np.array(edges, dtype=np.float32))


def join(
    frauds: Floats, payments: Floats, edges: Figures, base: float, telling: float
) -> tuple[Floats, Floats, Figures]:
    """Join neighbouring slices until each two tell different things, by that much log-likelihood.

    `frauds` and `payments` are counts of (n,), `edges` of (n - 1,); `base` is the share of frauds over all.
    """
    frauds, payments, edges = frauds.copy(), payments.copy(), edges.copy()
    while len(edges):
        apart = _likelihood(frauds, payments, base)
        together = _likelihood(frauds[:-1] + frauds[1:], payments[:-1] + payments[1:], base)
        lost = apart[:-1] + apart[1:] - together
        least = int(np.argmin(lost))
        if lost[least] >= telling:
            break
        frauds[least] += frauds[least + 1]
        payments[least] += payments[least + 1]
        frauds, payments = np.delete(frauds, least + 1), np.delete(payments, least + 1)
        edges = np.delete(edges, least)
    return frauds, payments, edges


def share(frauds: Floats, payments: Floats, base: float) -> Floats:
    """The share of frauds in each cell, drawn to the base rate where little is known."""
    return (frauds + PRIOR * base) / (payments + PRIOR)


def _likelihood(frauds: Floats, payments: Floats, base: float) -> Floats:
    p = share(frauds, payments, base)
    likelihood: Floats = frauds * np.log(p) + (payments - frauds) * np.log1p(-p)
    return likelihood
