"""What one question found."""

from typing import Literal, NamedTuple

State = Literal["well", "warning", "ill"]


class Finding(NamedTuple):
    """`says` is what was seen; `do` is what to do about it, empty where all is well."""

    check: str
    state: State
    says: str
    do: str = ""


def well(check: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "well", says)


def warning(check: str, says: str, do: str) -> Finding:
    """Somebody should look before it becomes worse."""
    return Finding(check, "warning", says, do)


def ill(check: str, says: str, do: str) -> Finding:
    """Something does not work."""
    return Finding(check, "ill", says, do)
