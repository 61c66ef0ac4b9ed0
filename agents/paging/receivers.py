"""Who is told: Alertmanager, PagerDuty, a webhook. Each has words of its own, and told twice does no harm."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Protocol

from agents.paging.post import post, post_to_all
from agents.settings import Settings
from pipeline.cases.notice import RECEIVER_NAME, Loudness, Notice
from schemas.timestamps import format_ms

# What a receiver has heard that was to hear more and did not take it: something, or nothing.
NOT_KNOWN = "not known"


class Receiver(Protocol):
    """`name` stands in metrics and on `case-pages`; `at_once` notices are taken, or not taken, together.

    One that `forgets` is told again and again of what is not over.
    """

    name: str
    at_once: int
    forgets: bool

    def wants(self, notice: Notice, told: str) -> bool:
        """Whether it has to hear of it, having heard `told` of the same thing; empty: nothing; or `NOT_KNOWN`."""
        ...

    def tell(self, notices: Sequence[Notice]) -> None:
        """Return when it has them all. Raises `UnheardError` or `RefusedError`."""
        ...


def board(notice: Notice) -> str:
    """Where on Grafana it shows."""
    return "/d/tierwatch-now" if notice.name == RECEIVER_NAME else "/d/tierwatch-fraud"


class Alertmanager:
    """API v2. It knows alerts by their labels; of a case's two severities, one fires and the other is over.

    It keeps them in memory only, and those of a cluster do not tell each other: each is told, and told again.
    """

    name = "alertmanager"
    at_once = 200  # it reads a request whole
    forgets = True

    def __init__(self, addresses: Sequence[str], grafana: str = "") -> None:
        self._addresses = addresses
        self._grafana = grafana

    def wants(self, notice: Notice, told: str) -> bool:  # noqa: ARG002 - a receiver's signature
        """Of everything: it shows counts, too."""
        return True

    def tell(self, notices: Sequence[Notice]) -> None:
        """Send them."""
        alerts = [alert for notice in notices for alert in _alerts(notice, self._grafana)]
        post_to_all(self._addresses, "/api/v2/alerts", alerts)


def _alerts(notice: Notice, grafana: str) -> list[dict[str, object]]:
    now_ms = int(time.time() * 1000)
    other: Loudness = "ticket" if notice.loudness == "page" else "page"
    told = [_alert(notice, notice.loudness, notice.until_ms), _alert(notice, other, now_ms)]
    # What Alertmanager links as the source of an alert.
    return [{**alert, "generatorURL": f"{grafana}{board(notice)}"} for alert in told] if grafana else told


def _alert(notice: Notice, severity: Loudness, until_ms: int) -> dict[str, object]:
    # Its routes know the security team's by this label.
    what = "receiver" if notice.name == RECEIVER_NAME else "case"
    return {
        "labels": {"alertname": notice.name, what: notice.key, "severity": severity, "queue": notice.queue},
        "annotations": {
            "summary": notice.summary,
            "description": notice.description,
            "runbook": f"dashboards/runbooks/{notice.name}.md",
            "board": board(notice),
        },
        # It refuses what ends before it begins.
        "startsAt": format_ms(min(notice.since_ms, until_ms)),
        "endsAt": format_ms(until_ms),
    }


class PagerDuty:
    """Events API v2. `dedup_key` is the case, so one case is one incident; only what pages goes there."""

    name = "pagerduty"
    at_once = 1
    forgets = False
    _ACTIONS = {"open": "trigger", "taken": "acknowledge", "over": "resolve"}  # noqa: RUF012 - never changed

    def __init__(self, addresses: Sequence[str], routing_key: str, grafana: str = "") -> None:
        self._addresses = addresses
        self._routing_key = routing_key
        self._grafana = grafana

    def wants(self, notice: Notice, told: str) -> bool:
        """Of what pages, and of what becomes of it."""
        if notice.said == told:
            return False
        was_paged = bool(told) and told != "open ticket"
        return notice.loudness == "page" if notice.state == "open" else was_paged

    def tell(self, notices: Sequence[Notice]) -> None:
        """Send them."""
        for notice in notices:
            post(self._addresses, "/v2/enqueue", self._event(notice))

    def _event(self, notice: Notice) -> dict[str, object]:
        event: dict[str, object] = {
            "routing_key": self._routing_key,
            "event_action": self._ACTIONS[notice.state],
            "dedup_key": notice.key if notice.name != RECEIVER_NAME else f"receiver-{notice.key}",
        }
        if notice.state != "open":
            return event
        return event | {
            **self._links(notice),
            "client": "tierwatch",
            "payload": {
                "summary": notice.summary,
                "source": "tierwatch",
                "severity": "critical",
                "component": notice.queue,
                "class": notice.name,
                "timestamp": format_ms(notice.since_ms),
                "custom_details": {"description": notice.description},
            },
        }

    def _links(self, notice: Notice) -> dict[str, object]:
        if not self._grafana:
            return {}
        links = {"board": board(notice), "runbook": f"/public/runbooks/{notice.name}.md"}
        return {
            "client_url": f"{self._grafana}{board(notice)}",
            "links": [{"href": f"{self._grafana}{path}", "text": text} for text, path in links.items()],
        }


class Webhook:
    """Anybody who checks `X-Tierwatch-Signature`: `v1=` and, in hex, HMAC-SHA256 of the time, a full stop, the body."""

    name = "webhook"
    at_once = 1
    forgets = False

    def __init__(self, addresses: Sequence[str], key: str) -> None:
        self._addresses = addresses
        self._key = key.encode()

    def wants(self, notice: Notice, told: str) -> bool:
        """Of what changed."""
        return notice.said != told

    def tell(self, notices: Sequence[Notice]) -> None:
        """Send them."""
        for notice in notices:
            body = json.dumps(
                {
                    "case": notice.key,
                    "kind": notice.name,
                    "state": notice.state,
                    "severity": notice.loudness,
                    "summary": notice.summary,
                    "description": notice.description,
                    "queue": notice.queue,
                    "since": format_ms(notice.since_ms),
                }
            ).encode()
            stamp = str(int(time.time()))
            headers = {
                "Idempotency-Key": hashlib.sha256(f"{notice.key}/{notice.said}".encode()).hexdigest()[:32],
                "X-Tierwatch-Timestamp": stamp,
                "X-Tierwatch-Signature": f"v1={signature(self._key, stamp, body)}",
            }
            post(self._addresses, "", body, headers)


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """Return what the body is signed with; a receiver also refuses stamps that are old."""
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def receivers(settings: Settings) -> list[Receiver]:
    """Return those that the environment names."""
    found: list[Receiver] = []
    grafana = settings.grafana.rstrip("/")
    if settings.alertmanager:
        found.append(Alertmanager(settings.alertmanager.split(","), grafana))
    if settings.pagerduty_key:
        found.append(PagerDuty(settings.pagerduty.split(","), settings.pagerduty_key, grafana))
    if settings.webhook:
        found.append(Webhook(settings.webhook.split(","), settings.webhook_key))
    return found
