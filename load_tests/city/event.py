"""What the city makes: one record for one topic, and what only the city knows about it."""

from typing import NamedTuple

from schemas.reasons import DeadLetterReason


class Truth(NamedTuple):
    """What a fraudster was up to: the trick, and which of all tries this record belongs to."""

    trick: str
    episode: int


class Event(NamedTuple):
    """One record, published at `at_ms` (epoch milliseconds, its arrival).

    The last three are never published. `transaction_id` is empty for what is no transaction, `truth` is None for honest
    records, and `flaw` says why a record that nobody can judge must become a dead letter.
    """

    at_ms: int
    topic: str
    key: bytes | None
    value: bytes
    transaction_id: str = ""
    truth: Truth | None = None
    flaw: DeadLetterReason | None = None
