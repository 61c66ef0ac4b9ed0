"""Durations and times of day in a policy: `24h`, `-7d`, `23:00`."""

import re
from typing import Any

from pipeline.policy.reading import Reading
from pipeline.policy.shapes import Leaf
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

_UNITS_MS = {"d": MS_PER_DAY, "h": MS_PER_HOUR, "m": MS_PER_MINUTE, "s": MS_PER_SECOND}


class Duration(Leaf):
    """A whole number and a unit; both bounds (ms) included. A negative one counts backwards."""

    unit = "_ms"
    placeholder = 0

    def __init__(self, least_ms: int, most_ms: int) -> None:
        self.least_ms = least_ms
        self.most_ms = most_ms
        self.pattern = f"({'-?' if least_ms < 0 else ''}[1-9][0-9]{{0,8}}|0)[smhd]"
        bounds = f"from {format_duration(least_ms)} to {format_duration(most_ms)}"
        self.words = f"a duration {bounds}, written like 90s, 15m, 24h or 30d"

    def parse(self, text: str, reading: Reading) -> int:  # noqa: ARG002
        """Give milliseconds."""
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError
        duration_ms = int(text[:-1]) * _UNITS_MS[text[-1]]
        if self.least_ms <= duration_ms <= self.most_ms:
            return duration_ms
        raise ValueError

    def say(self, value: int, exponent: int) -> str:  # noqa: ARG002 - a shape's signature
        """As it is written."""
        return format_duration(value)

    def schema(self) -> dict[str, Any]:
        """The pattern; the bounds are for the loader."""
        return {"type": "string", "pattern": f"^{self.pattern}$"}


class TimeOfDay(Leaf):
    """A local wall time on a quarter of an hour, because windows move in quarters."""

    unit = "_min"
    placeholder = 0
    words = 'a time of day on a quarter of an hour, such as "23:00" or "05:45"'
    pattern = "([01][0-9]|2[0-3]):(00|15|30|45)"

    def parse(self, text: str, reading: Reading) -> int:  # noqa: ARG002
        """Give minutes after midnight."""
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError
        return int(text[:2]) * 60 + int(text[3:])

    def say(self, value: int, exponent: int) -> str:  # noqa: ARG002 - a shape's signature
        """As it is written."""
        return f"{value // 60:02d}:{value % 60:02d}"

    def schema(self) -> dict[str, Any]:
        """The pattern."""
        return {"type": "string", "pattern": f"^{self.pattern}$"}


def format_duration(duration_ms: int) -> str:
    """The shortest text that `Duration` reads back; 0 is `0s`. Whole seconds only."""
    for name, unit_ms in _UNITS_MS.items():
        if duration_ms and duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{name}"
    return f"{duration_ms // MS_PER_SECOND}s"
