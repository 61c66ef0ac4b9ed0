"""What a verification found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.verify.ledger import Difference

EXAMPLES = 100


@dataclass
class Report:
    """What was compared, and what did not agree: how much of each kind, and the first of them."""

    partitions: int
    units: int = 0
    records: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    """Those that agree, by topic."""
    states: Counter[str] = field(default_factory=Counter)
    """State records compared, by table; none when the range ends before the state does."""
    differences: Counter[str] = field(default_factory=Counter)
    """By kind."""
    examples: list[Difference] = field(default_factory=list)

    def add(self, differences: Iterable[Difference]) -> None:
        """Count differences, and keep them while they are few."""
        for each in differences:
            self.differences[each.kind] += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(each)
