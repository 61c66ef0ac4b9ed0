"""A model as it stands on the topic `models`: LightGBM's text, and a card that says what it is. Never a pickle."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.transaction import Identifier, Timestamp


class Calibration(Struct, frozen=True):
    """Of tested payments said to be fraud with `said` in a thousand on average, `were` in a thousand were."""

    said: float
    were: float
    payments: int


class Sliced(Struct, frozen=True):
    """Where slices of a figure end, and the share of payments in each, one more than ends."""

    below: tuple[float, ...]
    shares: tuple[float, ...]


class ModelCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model was trained on: its features in order, the categories by code, of when; and what it is worth.

    `measured` was found on the last third of what was known, by a model that had seen the rest only: `auc`, `ap`,
    `cp100`; `false_alarms` are, by tier, the genuine ones of a thousand payments to which it gave one half or more.
    """

    features: tuple[str, ...]
    categories: tuple[str, ...]
    payments: int
    frauds: int
    first_ms: int
    last_ms: int
    leaves: int
    trees: int
    # Of the text, hex: what the policy names.
    sha256: str
    measured: dict[str, float] = {}
    calibration: tuple[Calibration, ...] = ()
    false_alarms: dict[str, float] = {}
    # What it learned from, by feature, and what it said, as `(score)`: workers measure by it how far payments drift.
    slices: dict[str, Sliced] = {}


class ModelFile(Struct, frozen=True, kw_only=True):
    """One model; it does nothing until a policy that people have approved names its hash."""

    model: Identifier
    actor: Identifier
    at: Timestamp
    card: ModelCard
    text: Annotated[str, Meta(min_length=1, max_length=900_000)]
