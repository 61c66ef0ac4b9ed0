"""Alertmanager's API v2: hand alerts in, again until it has them."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence

# One request holds no more: Alertmanager reads each whole.
AT_ONCE = 200
_ANSWER_S = 5.0


class UnheardError(Exception):
    """Alertmanager did not take them: try again. The text says why."""


class Alertmanager:
    """One Alertmanager, at `url`. Telling the same alert twice is harmless: it knows alerts by their labels."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/alerts"

    def tell(self, alerts: Sequence[dict[str, object]]) -> None:
        """Return when it has them all.

        Raises:
            UnheardError: it does not answer, or answers with an error.

        """
        for first in range(0, len(alerts), AT_ONCE):
            request = urllib.request.Request(  # noqa: S310 - the operator's own setting, checked to be http
                self._url,
                data=json.dumps(alerts[first : first + AT_ONCE]).encode(),
                headers={"Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=_ANSWER_S):  # noqa: S310 - the same
                    pass
            except urllib.error.HTTPError as error:
                with error:
                    raise UnheardError(f"it answers {error.code}: {error.read(200).decode(errors='replace')}") from None
            except OSError as error:
                raise UnheardError(str(error)) from None
