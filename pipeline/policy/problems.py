"""What is wrong with a policy, and where: a person must find the line and know what to write instead."""

from collections.abc import Iterable
from typing import NamedTuple

_SHOWN = 20


class Mark(NamedTuple):
    """A place in the text; both count from 1, columns in characters."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing to mend. `path` names the field, as `tiers[gold].limits.amount_24h`; it is empty for the whole file."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        """`12:5 tiers[gold].fee_bps: expected ...`."""
        place = f"{self.line}:{self.column}"
        return f"{place} {self.path}: {self.message}" if self.path else f"{place} {self.message}"


class PolicyError(ValueError):
    """A text that is no policy. `problems` holds all of them, in the order in which they stand."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        """One problem a line, the first twenty."""
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"... and {len(self.problems) - _SHOWN} more")
        return "\n".join(lines)
