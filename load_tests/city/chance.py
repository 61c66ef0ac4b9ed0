"""Chance, from a seeded generator."""

from math import exp
from random import Random


def happens(rng: Random, share: float) -> bool:
    """Return True in `share` of all calls."""
    return rng.random() < share


def poisson(rng: Random, mean: float) -> int:
    """Draw how many of something happen that happens `mean` times on average (Knuth; fine for small means)."""
    threshold, product, count = exp(-mean), rng.random(), 0
    while product > threshold:
        product *= rng.random()
        count += 1
    return count
