"""Files as commands are handed them: `-` is standard input, gzip is recognised by its content."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from console.errors import CommandError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 20


class _Unpacked(gzip.GzipFile):
    """Hands over what it has: to fill a buffer first would lose all of it where the data is damaged further on."""

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer, which need not be filled; 0 at the end."""
        return self.readinto1(buffer)


class Input:
    """An open file: `stream` gives its content, unpacked; `position()` of `size` tells how far it has been read."""

    def __init__(self, packed: io.BufferedReader, size: int | None) -> None:
        self.size = size
        self._packed = packed
        self.stream: BinaryIO = packed
        if packed.peek(len(_GZIP)).startswith(_GZIP):
            # A buffer around it: reading line by line from GzipFile itself is several times slower.
            self.stream = io.BufferedReader(cast("io.RawIOBase", _Unpacked(fileobj=packed)), _BUFFER_BYTES)

    def position(self) -> int:
        """Bytes of the file consumed so far, packed bytes where it is packed; 0 for a pipe."""
        return 0 if self.size is None else self._packed.tell()


@contextmanager
def open_input(name: str) -> Iterator[Input]:
    """Open a file, or standard input for `-`.

    Raises:
        CommandError: it cannot be opened, or its gzip data turns out to be damaged while it is read.

    """
    with _opened(name) as packed:
        try:
            yield Input(packed, None if name == STANDARD_INPUT else _size(name))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CommandError(
                f"{name}: damaged gzip data ({error})", "What came before it was used; fetch or pack the file again."
            ) from error


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader]:
    if name == STANDARD_INPUT:
        yield cast("io.BufferedReader", sys.stdin.buffer)
        return
    try:
        packed = Path(name).open("rb")  # noqa: SIM115 - closed below; the body's errors are not ours
    except OSError as error:
        raise CommandError(
            f"cannot read {name}: {(error.strerror or str(error)).lower()}",
            "Check the name and that you may read it; `-` reads standard input.",
        ) from error
    with packed:
        yield packed


def _size(name: str) -> int | None:
    path = Path(name)
    return path.stat().st_size if path.is_file() else None


def check_readable(names: list[str]) -> None:
    """Fail for a mistake in the last name before the first file is read.

    Raises:
        CommandError: one of them cannot be opened.

    """
    for name in names:
        # A pipe would lose its first bytes by being opened twice.
        if name != STANDARD_INPUT and not Path(name).is_fifo() and not Path(name).is_char_device():
            with _opened(name):
                pass


def lines_of(source: Input) -> Iterator[bytes]:
    """The lines of a file without their line feed, however long; a last line without one counts too."""
    for line in source.stream:
        yield line[:-1] if line.endswith(b"\n") else line
