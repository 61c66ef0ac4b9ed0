"""How a process of tierwatch ends: what a script or an orchestrator does next depends on it."""

from enum import IntEnum


class Exit(IntEnum):
    """The numbers are promised in the documentation: never reuse one."""

    OK = 0
    FAILED = 1  # our own bug; the log holds it
    SETTINGS = 2  # wrong usage or environment: correct it
    BAD_INPUT = 3  # a policy or a file that cannot be used: correct it
    NO_BROKER = 4  # ended before a broker answered: start it, or correct the address
    CREDENTIALS = 5  # the broker refused name, password or certificate: trying again does not help
    MISMATCH = 6  # records without an outcome, or outcomes that the journal does not make
    TOPICS = 7  # topics are missing or cannot be used: `tierwatch topics create`
    GONE = 8  # Kafka has deleted what is needed: a longer retention helps the next time
    REFUSED = 9  # the event was published and refused: the audit says why
    UNWELL = 10  # the doctor found something ill: it says what to do
