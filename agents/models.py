"""The topic `models` as a command sees it: what was told, and one more model on it."""

import time

from agents.broker import BrokerError
from agents.publisher import Publisher
from agents.settings import Settings
from agents.whole_topic import WholeTopic, accepted
from pipeline.learned.models import Models
from schemas.codec import decode_model_file, encode
from schemas.model_file import ModelFile

TOPIC = "models"
# A file comes back from a healthy broker within milliseconds.
_PATIENCE_S = 30


def told(settings: Settings) -> list[ModelFile]:
    """All models that workers know, in the order in which they were told. Raises `BrokerError` without Kafka."""
    return accepted(settings, TOPIC, decode_model_file, Models().apply)


def tell(settings: Settings, file: ModelFile) -> None:
    """Publish a model, and wait until it can be read: no policy may name it before.

    Raises:
        BrokerError: Kafka does not take it, or does not give it back.
        ValueError: it is no model that workers would take.

    """
    Models().apply(file)
    value = encode(file)
    with WholeTopic(settings, TOPIC) as topic:
        for _ in topic.to_the_end():
            pass
        publisher = Publisher(settings.librdkafka())
        publisher.publish(TOPIC, file.model.encode(), value, int(time.time() * 1000))
        publisher.flush()
        if not any(record.value == value for record in topic.more(_PATIENCE_S)):
            raise BrokerError(f"Kafka at {settings.broker} took the model and does not give it back")
