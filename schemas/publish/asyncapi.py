"""The AsyncAPI 3.0 document: topics as channels, with their keys, headers and Kafka settings."""

from typing import Any

from schemas import cloudevents, dead_letter, stages
from schemas.decision import Alert
from schemas.publish.json_schema import components
from schemas.publish.messages import kinds, published
from schemas.reasons import DeadLetterReason
from schemas.topics import TOPICS, Topic

_BINDING = "0.5.0"
_TIME = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}


def document() -> dict[str, Any]:
    """The whole document, ready for YAML or JSON."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tierwatch",
            "version": "1.0.0",
            "description": "Real-time fraud monitoring for customers on a tiered whitelist. Headers are Kafka record "
            "headers: UTF-8 texts. Keys are partitioned by murmur2, the default of Java's client; librdkafka clients "
            "set `partitioner=murmur2_random`.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": dict(_operation(topic) for topic in TOPICS.values()),
        "components": {
            "messages": {**{kind.__name__: _message(kind) for kind in published()}, "DeadLetter": _dead_letter()},
            "schemas": components(published(), "#/components/schemas/{name}"),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    names = [kind.__name__ for kind in kinds(topic)] or ["DeadLetter"]
    kafka: dict[str, Any] = {
        "topic": topic.name,
        "topicConfiguration": {name: _setting(name, value) for name, value in topic.config().items()},
        "bindingVersion": _BINDING,
    }
    if topic.partitions == "single":
        kafka["partitions"] = 1
    return {
        "address": topic.name,
        "description": f"{topic.what} Key: {topic.key}. Written by {topic.written_by}, read by {topic.read_by}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": kafka},
    }


def _setting(name: str, value: str) -> Any:  # noqa: ANN401 - as the binding types it
    if name == "cleanup.policy":
        return [value]
    return int(value) if value.lstrip("-").isdigit() else value


def _operation(topic: Topic) -> tuple[str, dict[str, Any]]:
    """From where tierwatch stands."""
    writes = topic.written_by == "workers"
    action = "send" if writes else "receive"
    name = f"{action}_{topic.name.replace('-', '_')}"
    return name, {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}, "summary": topic.what}


def _message(kind: type) -> dict[str, Any]:
    keys = [topic.key for topic in TOPICS.values() if kind in kinds(topic)]
    message: dict[str, Any] = {
        "name": kind.__name__,
        "title": kind.__name__,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": keys[0]}, "bindingVersion": _BINDING}},
    }
    if kind in cloudevents.TYPES:
        said = {name: {"const": value.decode()} for name, value in cloudevents.fixed(kind)}
        required = {**said, "ce_id": _TEXT, "ce_time": _TIME}
        optional = dict.fromkeys(stages.NAMES, _TIME) if kind is Alert else {}
        message["headers"] = {"type": "object", "properties": {**required, **optional}, "required": list(required)}
    else:
        message["headers"] = {"type": "object", "properties": {"ce_source": _TEXT}}
    return message


def _dead_letter() -> dict[str, Any]:
    required: dict[str, Any] = {
        dead_letter.REASON: {"type": "string", "enum": [reason.value for reason in DeadLetterReason]},
        dead_letter.DETAIL: _TEXT,
        dead_letter.TOPIC: _TEXT,
        dead_letter.PARTITION: _NUMBER,
        dead_letter.OFFSET: _NUMBER,
        dead_letter.FIRST_ARRIVAL: _TIME,
    }
    optional: dict[str, Any] = {
        dead_letter.MASKED: {"const": "true"},
        dead_letter.DIGEST: {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        dead_letter.SIZE: _NUMBER,
        dead_letter.WORKER_VERSION: _TEXT,
    }
    return {
        "name": "DeadLetter",
        "title": "DeadLetter",
        "summary": "The original bytes, untouched unless masked or cut; the processor's headers under `original_`.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": {**required, **optional}, "required": list(required)},
        "payload": {"description": "Any bytes, or none."},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _BINDING}},
    }
