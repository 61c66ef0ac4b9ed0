"""A small picture of numbers, for terminals: one column each, in eighths of a line."""

from collections.abc import Iterator, Sequence
from typing import Final

ROWS: Final = 4
_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_FULL: Final = 8


def columns(values: Sequence[int], rows: int = ROWS) -> Iterator[str]:
    """Lines of a column chart, the top first, with what the highest column stands for; no value is negative."""
    highest = max(values, default=0)
    # Whatever is there is seen, however small.
    heights = [max(1, round(value * rows * _FULL / highest)) if value else 0 for value in values]
    for row in reversed(range(rows)):
        line = "".join([_EIGHTHS[min(max(height - row * _FULL, 0), _FULL)] for height in heights])
        yield f"│{line}│ {highest:,}" if row == rows - 1 else f"│{line}│"
