"""What matured labels teach about a terminal, merchant, device or payee, while it is not neutral; it has an end."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.transaction import Identifier, Timestamp

EntityKind = Literal["terminal", "merchant", "device", "payee"]
ENTITY_KINDS: tuple[EntityKind, ...] = ("terminal", "merchant", "device", "payee")

# A label that counts in full; provisional ones count for less.
FULL_WEIGHT = 100
Weight = Annotated[int, Meta(ge=0, description="In hundredths of a payment.")]


class EntityRisk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest of an entity holds until `until`; a tombstone ends it before. What it counts is of the last 30 days.

    `labelled` payments have matured labels, `frauds` of them were fraud, suffered by so many different `customers`.
    `streak` are the latest of these frauds since the last payment that was found to be genuine, `cleared_at`, but for
    those that were spikes of their customers; the first of them was at `streak_since`.
    """

    kind: EntityKind
    value: Identifier
    at: Timestamp
    until: Timestamp
    frauds: Weight
    labelled: Weight
    customers: Annotated[int, Meta(ge=0)]
    streak: Weight = 0
    streak_since: Timestamp | None = None
    cleared_at: Timestamp | None = None

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.kind}/{self.value}"
