"""Somebody who is told: a local server that keeps what it hears, and can refuse."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

RESET, HANG, GARBAGE, RESET_BODY, HANGING_BODY, GARBAGE_BODY = -1, -2, -3, -4, -5, -6
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\n"
# What they say before they reset the connection, hang, or close it.
_SAID = {
    RESET: b"",
    HANG: b"",
    GARBAGE: b"\x15\x03\x01\x00\x02\x02P",
    RESET_BODY: _FAILED + b"Content-Length: 9\r\n\r\nw",
    HANGING_BODY: _FAILED + b"Content-Length: 9\r\n\r\nw",
    GARBAGE_BODY: _FAILED + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
}


class Heard(NamedTuple):
    """One message: where it was sent, what it says, and when it came (seconds of this machine's clock)."""

    path: str
    body: Any
    at: float


class Receiver:
    """What was heard, oldest first, and every header. `refusals` are answered first, one a message: HTTP statuses.

    `RESET` hangs up, `HANG` says nothing until `patience_s` is over, `GARBAGE` is no HTTP; with `_BODY` they answer 500
    first, and do it with what follows.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[Heard] = []
        self.headers: list[dict[str, str]] = []
        self.refusals: list[int] = []
        # What it does not keep it answers with 503.
        self.keep: Callable[[Any], bool] | None = None
        self.kept_out = 0
        self.patience_s = 1.5
        self.retry_after = "1"

    def at(self, path: str) -> list[Any]:
        """Return the bodies that came to one path."""
        return [heard.body for heard in list(self.heard) if heard.path == path]


def _misbehave(handler: BaseHTTPRequestHandler, how: int, patience_s: float) -> None:
    handler.wfile.write(_SAID[how])
    handler.close_connection = True
    if how in {HANG, HANGING_BODY}:
        time.sleep(patience_s)
    elif how in {RESET, RESET_BODY}:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = listening.refusals.pop(0) if listening.refusals else 200
            if listening.keep is not None and not listening.keep(body):
                listening.kept_out += 1
                status = HTTPStatus.SERVICE_UNAVAILABLE
            if status in _SAID:
                _misbehave(self, status, listening.patience_s)
                return
            if status == HTTPStatus.OK:
                listening.headers.append(dict(self.headers))
                listening.heard.append(Heard(self.path, body, time.time()))
            self.send_response(
                HTTPStatus.ACCEPTED if status == HTTPStatus.OK and self.path == "/v2/enqueue" else status
            )
            more = {
                HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", listening.retry_after),
                HTTPStatus.FOUND: ("Location", f"{listening.address}/elsewhere"),
            }
            if status in more:
                self.send_header(*more[HTTPStatus(status)])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: what is heard is what tests look at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listening = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield listening
        finally:
            server.shutdown()
            thread.join()
