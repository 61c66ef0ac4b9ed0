"""JSON Schema 2020-12 of the message types."""

import inspect
from typing import Any

from msgspec.json import schema_components

from schemas.publish.messages import snake

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def components(kinds: tuple[type, ...], ref_template: str) -> dict[str, Any]:
    """The schemas of message types and of all that they are made of, by name; `{name}` stands in the template."""
    _, found = schema_components(kinds, ref_template=ref_template)
    return {name: _tidy(schema) for name, schema in found.items()}


def document(kind: type) -> dict[str, Any]:
    """One message type's schema, complete in itself."""
    definitions = components((kind,), "#/$defs/{name}")
    own = definitions.pop(kind.__name__)
    head = {"$schema": DIALECT, "$id": f"urn:tierwatch:{snake(kind)}:v1"}
    return {**head, **own, **({"$defs": definitions} if definitions else {})}


def _tidy(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Without what is about our reader only: unknown fields are tolerated, even where it looks for them first."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: inspect.cleandoc(part) if name == "description" and isinstance(part, str) else _tidy(part)
        for name, part in schema.items()
        if not (name == "additionalProperties" and part is False)
    }
