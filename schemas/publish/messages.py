"""What is published: each message type under its own name, unions taken apart."""

import re
import typing
from types import UnionType

from schemas.topics import TOPICS, Topic


def kinds(topic: Topic) -> tuple[type, ...]:
    """The message types a topic carries; none where any bytes may stand."""
    if topic.message is None:
        return ()
    return typing.get_args(topic.message) if isinstance(topic.message, UnionType) else (topic.message,)


def published() -> tuple[type, ...]:
    """Every message type, in the order of the topics."""
    return tuple(dict.fromkeys(kind for topic in TOPICS.values() for kind in kinds(topic)))


def snake(kind: type) -> str:
    """The name of a type's file: `AdmissionApproved` is `admission_approved`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
