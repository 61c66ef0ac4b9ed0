"""What a process answers over HTTP: `/metrics`, `/health/live`, `/health/ready`; from a thread of its own.

The event loop does not serve it: a worker that is hard at work, or hangs, must still say so.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Health(Protocol):
    """Who is asked: whether a restart would be pointless, and what it waits for; empty when it is ready."""

    @property
    def alive(self) -> bool: ...  # noqa: D102 - said above
    @property
    def waits_for(self) -> str: ...  # noqa: D102 - said above


# What is posted to a path, and its headers; what whoever posts is told.
Post = Callable[[bytes, Mapping[str, str]], HTTPStatus]
_LARGEST_POST = 1_000_000


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Log nothing: it is asked every few seconds."""


def application(
    registry: CollectorRegistry, health: Health, posts: Mapping[str, Post] | None = None
) -> "WSGIApplication":
    """Return what answers requests; `posts` are taken by their paths."""
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environment: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        match environment["PATH_INFO"]:
            case "/metrics":
                return metrics(environment, start)
            case "/health/live":
                return _told(start, "live", "" if health.alive else health.waits_for)
            case "/health/ready":
                return _told(start, "ready", health.waits_for)
            case path if posts and path in posts and environment["REQUEST_METHOD"] == "POST":
                start(_status(_posted(environment, posts[path])), [("Content-Type", "text/plain")])
                return [b""]
            case _:
                start(_status(HTTPStatus.NOT_FOUND), [("Content-Type", "text/plain")])
                return [b"here are /metrics, /health/live and /health/ready\n"]

    return answer


def _posted(environment: "WSGIEnvironment", take: Post) -> HTTPStatus:
    length = environment.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > _LARGEST_POST:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environment.items()
        if name.startswith("HTTP_")
    }
    return take(environment["wsgi.input"].read(int(length)), headers)


def _told(start: "StartResponse", what: str, waits_for: str) -> Iterable[bytes]:
    status = HTTPStatus.SERVICE_UNAVAILABLE if waits_for else HTTPStatus.OK
    start(_status(status), [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps({what: not waits_for, **({"waits_for": waits_for} if waits_for else {})}).encode() + b"\n"]


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"


def serve(
    host: str, port: int, registry: CollectorRegistry, health: Health, posts: Mapping[str, Post] | None = None
) -> int:
    """Serve from now on; return the port. Raises `OSError` when it is taken."""
    server = make_server(host, port, application(registry, health, posts), ThreadingWSGIServer, _Silent)
    threading.Thread(target=server.serve_forever, name="web", daemon=True).start()
    return int(server.server_port)
