"""A label on its way to the terminal, merchant, device or payee of its payment; from worker to worker."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.disposition import Label
from schemas.entity_risk import EntityKind, Weight
from schemas.transaction import Identifier, Timestamp

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]


class EntityLabel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a payment there was found to be; the newest of a payment counts, from `matures_at` on.

    `payment` and `customer` are digests: enough to tell one from another. Without weight the payment is as unlabelled.
    A `spike` was far above what its customer usually pays, which explains a fraud without the place.
    """

    kind: EntityKind
    value: Identifier
    payment: Digest
    customer: Digest
    paid_at: Timestamp
    label: Label
    weight: Weight
    matures_at: Timestamp
    spike: bool = False

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.kind}/{self.value}"
