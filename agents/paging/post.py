"""Posting JSON to somebody who must take it: what they answered, and whether and when to try again."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus

_ANSWER_S = 3.0
_LONGEST_RETRY_AFTER_S = 300.0


class UnheardError(Exception):
    """They did not take it: try again, no sooner than in `retry_after_s`. The text says why."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class RefusedError(Exception):
    """They answered that they never take it: trying again is pointless. The text says why."""


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


def _post(url: str, data: bytes, headers: Mapping[str, str]) -> None:
    # The operator's own setting, checked to be http.
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_S):  # noqa: S310 - the same
            pass
    except urllib.error.HTTPError as error:
        with error:
            why = f"it answers {error.code}: {error.read(200).decode(errors='replace')}"
            again = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _TRY_AGAIN
            if not again:
                raise RefusedError(why) from None
            raise UnheardError(why, _retry_after_s(error.headers.get("Retry-After", ""))) from None
    except OSError as error:  # time-outs, resets and refusals, too
        raise UnheardError(f"{type(error).__name__}: {error}") from None


# Not ours to mend: whoever sits between is at fault, or it is busy; credentials may be corrected while we wait.
_TRY_AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
}


def _retry_after_s(text: str) -> float:
    """Return its seconds; a date, which few send, is left to our own patience."""
    try:
        return min(max(float(text), 0.0), _LONGEST_RETRY_AFTER_S)
    except ValueError:
        return 0.0
