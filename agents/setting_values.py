"""How the text of a setting is read. Each raises `ValueError`, whose words follow the name of the variable."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit


def to_brokers(text: str) -> str:
    """Check `host:port,host:port`; a host without a port has Kafka's own, 9092."""
    names = []
    for part in text.split(","):
        url = urlsplit(f"//{part.strip()}")
        try:
            port = url.port or 9092
        except ValueError:
            port = 0
        if not url.hostname or not port or url.path or url.username:
            raise ValueError(f"must be host:port, or several with commas between, not {text!r}")
        names.append(f"[{url.hostname}]:{port}" if ":" in url.hostname else f"{url.hostname}:{port}")
    return ",".join(names)


def to_redis(text: str) -> str:
    """Check the address of a Redis."""
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must be an address such as redis://localhost:6379/0")
    return text


def to_http(text: str) -> str:
    """Check the addresses of something that speaks HTTP, with commas between."""
    parts = [part.strip() for part in text.split(",")]
    for url in map(urlsplit, parts):
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("must be an address such as http://localhost:9093, or several with commas between")
    return ",".join(parts)


def to_file(text: str) -> Path:
    """Check that a file is there."""
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"names no file: {text}")
    return path


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _seconds(text: str, low: float, high: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not low <= seconds <= high:
        raise ValueError(f"must be seconds from {low:g} to {high:g}, not {text!r}")
    return seconds


def to_seconds(low: float, high: float) -> Callable[[str], float]:
    """Return what reads seconds within these bounds."""
    return partial(_seconds, low=low, high=high)


def _one_of(text: str, choices: tuple[str, ...]) -> str:
    if text.upper() not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
    return text.upper()


def to_number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number within these bounds."""
    return partial(_whole, low=low, high=high)


def to_choice(*choices: str) -> Callable[[str], str]:
    """Return what reads one of these words, in any case."""
    return partial(_one_of, choices=choices)
