"""`tierwatch` in this process: words in, what it said and its exit code out, without starting Python anew."""

import os
from contextlib import redirect_stderr, redirect_stdout
from io import BufferedReader, BytesIO, TextIOWrapper
from subprocess import CompletedProcess
from unittest.mock import patch

from console.main import app


def tierwatch(*words: str | os.PathLike[str], stdin: bytes = b"", **environment: str) -> CompletedProcess[bytes]:
    """Run it with no setting of tierwatch but those of `environment`; stdout and stderr are files, not a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERWATCH_")}
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code = 0
    with (
        patch.dict(os.environ, kept | environment, clear=True),
        patch("sys.stdin", TextIOWrapper(BufferedReader(BytesIO(stdin)), "utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            app([os.fspath(word) for word in words], prog_name="tierwatch")
        except SystemExit as end:
            code = int(end.code or 0)
    out.seek(0)
    err.seek(0)
    return CompletedProcess(words, code, out.buffer.read(), err.buffer.read())
