"""How alerts become cases: what makes many of them one incident, how long a page waits, by when somebody must look."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

from pipeline.policy.containers import Field, MapOf, Record
from pipeline.policy.durations import Duration
from pipeline.policy.shapes import Choice, Integer, Text
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

Correlation = Literal["customer", "merchant", "payee", "device"]


class Campaign(Struct, frozen=True, kw_only=True):
    """A rule and a merchant, payee or device that `customers` different customers share within `within_ms`."""

    customers: int = 10
    within_ms: int = 10 * MS_PER_MINUTE


class Service(Struct, frozen=True, kw_only=True):
    """By when somebody must have taken a case up, from its first alert."""

    page_ms: int
    ticket_ms: int


# Of channels that `queues` does not name.
OTHERWISE: Final = Service(page_ms=30 * MS_PER_MINUTE, ticket_ms=24 * MS_PER_HOUR)


class Incidents(Struct, frozen=True, kw_only=True):
    """Without such a section in the policy its defaults hold. `queues` is by the service channel of a tier."""

    # So long without another alert, by the transactions' own times, ends a case.
    quiet_ms: int = 4 * MS_PER_HOUR
    # After so long without anything as bad a case that somebody has taken up weighs less.
    calm_ms: int = MS_PER_HOUR
    # How long a page waits for its case to become part of a campaign.
    wait_ms: int = MS_PER_SECOND
    # Alerts that come so long after their transaction are marked as delayed, and share one summary.
    delayed_ms: int = 15 * MS_PER_MINUTE
    campaign: Campaign = Campaign()
    queues: Mapping[str, Service] = {}


SERVICE = Record(
    "page and ticket",
    {
        "page": Field(
            Duration(MS_PER_MINUTE, 7 * MS_PER_DAY), "For cases that page: money is held, or a critical rule fired."
        ),
        "ticket": Field(Duration(MS_PER_MINUTE, 31 * MS_PER_DAY), "For all others."),
    },
)
CAMPAIGN = Record(
    "customers and within",
    {
        "customers": Field(Integer(2, 50), "How many different customers make a campaign."),
        "within": Field(Duration(MS_PER_SECOND, MS_PER_DAY), "Within how long, by the transactions' own times."),
    },
)
INCIDENTS = Record(
    "how alerts become cases",
    {
        "quiet": Field(
            Duration(4 * MS_PER_HOUR, 7 * MS_PER_DAY),
            "So long without another alert, by the transactions' own times, ends a case.",
        ),
        "calm": Field(
            Duration(MS_PER_MINUTE, 7 * MS_PER_DAY),
            "After so long without anything as bad a case that somebody has taken up weighs less.",
        ),
        "wait": Field(Duration(0, MS_PER_MINUTE), "How long a page waits for its case to become part of a campaign."),
        "delayed": Field(
            Duration(MS_PER_SECOND, MS_PER_DAY),
            "Alerts later than this after their transaction are marked as delayed, and share one summary page.",
        ),
        "campaign": Field(CAMPAIGN, "When a rule and a shared merchant, payee or device are one incident."),
        "queues": Field(
            MapOf(
                Text("a service channel of a tier", "[a-z][a-z0-9_]{0,39}"), SERVICE, "a mapping from service channel"
            ),
            "By when somebody must have taken a case up, by the service channel of its customer's tier.",
        ),
    },
)
CORRELATE = Field(
    Choice("customer", "merchant", "payee", "device"),
    "What its alerts share when they are one case, unless a campaign has them.",
    required=False,
    default="customer",
)


def problems(incidents: Incidents, channels: set[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong between a policy's cases and its tiers' service channels: the place, and what to do."""
    for name in incidents.queues:
        if name not in channels:
            yield ("queues", name), "no tier is served there: name a tier's service_channel"
    for name in sorted(channels - set(incidents.queues)):
        yield ("queues",), f"nothing is said of {name}, which serves a tier: add it"
    for name, service in incidents.queues.items():
        if service.page_ms > service.ticket_ms:
            yield ("queues", name, "page"), "is longer than for a ticket: what wakes somebody cannot wait longer"
