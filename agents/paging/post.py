"""Posting JSON to somebody who must take it: what they answered, and whether and when to try again."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException

_ANSWER_S = 3.0
_LONGEST_RETRY_AFTER_S = 300.0


class UnheardError(Exception):
    """They did not take it: try again, no sooner than in `retry_after_s`. The text says why."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class RefusedError(Exception):
    """They answered that they never take it: trying again is pointless. The text says why."""


class _Here(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: what was posted would be asked for there, and nobody would have heard of it."""

    def redirect_request(self, *_: object) -> None:
        """Say no."""


_opener = urllib.request.build_opener(_Here)


def post(addresses: Sequence[str], path: str, body: object, headers: Mapping[str, str] | None = None) -> None:
    """Return when one of the addresses has it; the next is tried where one does not answer.

    Raises:
        UnheardError: none of them took it.
        RefusedError: one of them says that it is wrong.

    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    unheard = UnheardError("no address")
    for address in addresses:
        try:
            _post(f"{address.rstrip('/')}{path}", data, headers or {})
        except UnheardError as error:
            unheard = error
        else:
            return
    raise unheard


def post_to_all(addresses: Sequence[str], path: str, body: object) -> None:
    """Return when each of the addresses was asked, and one at least has it. Raises as `post`, where none has."""
    errors: list[UnheardError | RefusedError] = []
    for address in addresses:
        try:
            post([address], path, body)
        except (UnheardError, RefusedError) as error:
            errors.append(error)
    if len(errors) == len(addresses):
        # One that may take it yet counts more than one that never will.
        raise min(errors, key=lambda error: isinstance(error, RefusedError))


def _post(url: str, data: bytes, headers: Mapping[str, str]) -> None:
    # The operator's own setting, checked to be http.
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310
    try:
        with _opener.open(request, timeout=_ANSWER_S):
            pass
    except urllib.error.HTTPError as error:
        with error:
            why = f"it answers {error.code}: {_said(error)}"
            moved = error.code < HTTPStatus.BAD_REQUEST
            again = moved or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _TRY_AGAIN
            if not again:
                raise RefusedError(why) from None
            raise UnheardError(why, _retry_after_s(error.headers.get("Retry-After", ""), time.time())) from None
    except (OSError, HTTPException) as error:  # time-outs, resets, refusals, and what is no HTTP
        raise UnheardError(f"{type(error).__name__}: {error}") from None


def _said(error: urllib.error.HTTPError) -> str:
    """Return how its answer begins: one that breaks off or never comes was an answer all the same."""
    try:
        return error.read(200).decode(errors="replace")
    except (OSError, HTTPException) as broken:
        return type(broken).__name__


# Not ours to mend: whoever sits between is at fault, or it is busy; credentials may be corrected while we wait.
_TRY_AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
}


def _retry_after_s(text: str, now_s: float) -> float:
    """Return for how long to wait, of its seconds or its date; 0, our own patience, where it is neither."""
    try:
        wait_s = float(text) if text.strip().isdigit() else parsedate_to_datetime(text).timestamp() - now_s
    except (ValueError, OverflowError):
        return 0.0
    return min(max(wait_s, 0.0), _LONGEST_RETRY_AFTER_S)
