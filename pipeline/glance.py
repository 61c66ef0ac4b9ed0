"""A first glance at the messages of a batch, many at once: which of them need a closer look, each by itself.

Hardly any do. Whoever reads the others need not search them for card numbers, nor for characters that JSON escapes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# As many as the processor's nearest cache takes, with all that is derived from them.
_AT_ONCE: Final = 256
# For fewer it is quicker to look at each closely.
_FEWEST: Final = 32
_BACKSLASH: Final = 0x5C
_DEL: Final = 0x7F
_SPACE: Final = np.int8(ord(" "))
_HYPHEN: Final = np.uint8(ord("-"))
# With `.` and `/` between them, which costs less than to leave them out.
_HYPHEN_TO_NINE: Final = np.uint8(ord("9") - ord("-"))
# Of neither a number nor an escape.
_BORDER: Final = b"|"


def suspects(values: Sequence[bytes]) -> set[int]:
    """The places of all values that may hold an escape, a DEL, or twelve digits with what `cards` lets between them."""
    found: set[int] = set()
    for first in range(0, len(values), _AT_ONCE):
        some = values[first : first + _AT_ONCE]
        places = _suspects(some) if len(some) >= _FEWEST else range(len(some))
        found.update([first + place for place in places])
    return found


def _suspects(values: Sequence[bytes]) -> set[int]:
    whole = _BORDER.join(values)
    found: set[int] = set()
    runs = _long_runs(np.frombuffer(whole, np.uint8))
    if runs.any():
        ends = np.cumsum([len(value) + 1 for value in values])
        found.update(np.searchsorted(ends, np.flatnonzero(runs), side="right").tolist())
    if _BACKSLASH in whole or _DEL in whole:
        found.update(place for place, value in enumerate(values) if _BACKSLASH in value or _DEL in value)
    return found


def _long_runs(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where twelve begin that are all digits, one of `-./`, spaces, control characters or not ASCII."""
    run = (characters - _HYPHEN) <= _HYPHEN_TO_NINE  # what is below the hyphen becomes large
    run |= characters.view(np.int8) <= _SPACE  # what is not ASCII is negative
    two = run[:-1] & run[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    return eight[:-4] & four[8:]
