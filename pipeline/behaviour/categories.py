"""What a customer usually pays in each category: fuel is not jewellery."""

from typing import Final

from pipeline.behaviour.baseline import Baseline

MOST: Final = 24


class Categories:
    """A baseline per category; of more than `MOST` categories the one used least is forgotten."""

    __slots__ = ("known",)

    def __init__(self, known: dict[str, Baseline] | None = None) -> None:
        self.known = known or {}

    def look(self, category: str, amount: int) -> tuple[float, float]:
        """How often this category was used, and how many times the usual in it the amount is (0: not known)."""
        baseline = self.known.get(category)
        return (0.0, 0.0) if baseline is None else (float(baseline.count), baseline.ratio(amount))

    def learn(self, category: str, amount: int) -> None:
        """Count a payment in."""
        baseline = self.known.get(category)
        if baseline is None:
            if len(self.known) >= MOST:
                del self.known[min(self.known, key=lambda name: (self.known[name].count, name))]
            baseline = self.known[category] = Baseline()
        baseline.learn(amount)
