"""One record for each unit of work: with it and the inputs, an offline run reproduces decisions and state."""

from msgspec import Struct

from schemas.transaction import Timestamp


class InputRange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of records of one topic: offsets from `first` up to but without `next`, `count` records among them.

    `count` is smaller than the difference where offsets are taken by transaction markers or compaction.
    """

    topic: str
    first: int
    next: int
    count: int
    # Offsets of transactions that had been told before: counted, and nothing else.
    duplicates: tuple[int, ...] = ()


class JournalRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a unit of work was made of. Offsets are the next ones to read, as the unit saw them."""

    partition: int
    # In the order taken; one topic may stand several times.
    inputs: tuple[InputRange, ...]
    policy_version: int
    policy_hash: str
    policies_next: int
    rates_next: int
    engine_version: str
    # Set when the unit began with a tick of the worker's clock.
    clock: Timestamp | None = None
    # Said since there are lists; before, none were read.
    lists_next: int = 0
    # Said since labels teach; before, none was read.
    entity_risk_next: int = 0
    # Said since there are models.
    models_next: int = 0
