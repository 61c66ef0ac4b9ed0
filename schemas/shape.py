"""What a message type asks of its texts beyond their type: times must exist, ids and names stay on one line."""

import re
from datetime import date
from typing import Any

from msgspec import inspect

from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import format_ms, parse_ms

# Written for people, who break lines; every other text ends up in keys, labels and log lines.
FREE_TEXT = frozenset({"description", "rationale", "yaml", "text"})

# Our own words: Python's differ from version to version, and quote the value.
_NO_SUCH_TIME = "not RFC 3339 with an offset, or no such moment"
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Unfit(ValueError):  # noqa: N818 - turned into a dead letter at once
    """A value has its field's type and is still not one of its values."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason as a value."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def has_control_characters(text: str) -> bool:
    """Whether the text holds a C0 control character or DEL."""
    return _CONTROL.search(text) is not None


class Shape:
    """The fields of a struct type, or of a union of tagged ones, down to its texts: read from the type once."""

    def __init__(self, of: Any) -> None:  # noqa: ANN401 - a struct type or a union
        """Read the type."""
        self._shape = _shape(inspect.type_info(of))

    def check(self, fields: dict[str, Any]) -> int:
        """Judge the texts of a message that the decoder accepted; returns how many of its fields nobody knows.

        Raises:
            Unfit: a time does not exist, or a text that must be one line holds a control character.

        """
        return self._shape.check(fields, "$")


class _Anything:
    """Numbers and flags, which the decoder has judged."""

    def check(self, value: Any, place: str) -> int:  # noqa: ANN401, ARG002 - any JSON value
        return 0


class _Text(_Anything):
    def __init__(self, written: str, *, free: bool) -> None:
        self.written = written
        self.free = free

    def check(self, value: Any, place: str) -> int:  # noqa: ANN401 - a text, or null where that is allowed
        if value is None:
            return 0
        try:
            if self.written == "date-time":
                format_ms(parse_ms(value))
            elif self.written == "date":
                date.fromisoformat(value)
        except (ValueError, OverflowError):
            raise Unfit(Reason.BAD_TIME, f"{place}: {_NO_SUCH_TIME}") from None
        if not self.free and has_control_characters(value):
            raise Unfit(Reason.BAD_VALUE, f"{place}: a control character")
        return 0


class _Items(_Anything):
    def __init__(self, item: _Anything) -> None:
        self.item = item

    def check(self, value: Any, place: str) -> int:  # noqa: ANN401 - an array
        return sum(self.item.check(item, f"{place}[{index}]") for index, item in enumerate(value))


class _Fields(_Anything):
    def __init__(self, fields: dict[str, _Anything]) -> None:
        self.fields = fields

    def check(self, value: Any, place: str) -> int:  # noqa: ANN401 - an object
        unknown = 0
        for name, inner in value.items():
            field = self.fields.get(name)
            unknown += 1 if field is None else field.check(inner, f"{place}.{name}")
        return unknown


class _Tagged(_Anything):
    def __init__(self, tag_field: str, variants: dict[str, _Anything]) -> None:
        self.tag_field = tag_field
        self.variants = variants

    def check(self, value: Any, place: str) -> int:  # noqa: ANN401 - an object
        return self.variants[value[self.tag_field]].check(value, place)


def _shape(kind: inspect.Type, written: str = "", *, free: bool = False) -> _Anything:
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _shape(inner, str((extra or {}).get("format", written)), free=free)
        case inspect.StrType():
            return _Text(written, free=free)
        case inspect.VarTupleType(item_type=item):
            return _Items(_shape(item, free=free))
        case inspect.StructType(fields=fields, tag_field=tag_field):
            shapes = {field.encode_name: _shape(field.type, free=field.encode_name in FREE_TEXT) for field in fields}
            return _Fields({**shapes, tag_field: _Anything()} if tag_field else shapes)
        case inspect.UnionType(types=types):
            options = [option for option in types if not isinstance(option, inspect.NoneType)]
            structs = [option for option in options if isinstance(option, inspect.StructType)]
            if len(structs) > 1:
                return _Tagged(str(structs[0].tag_field), {str(one.tag): _shape(one) for one in structs})
            return _shape(options[0], written, free=free)
        case _:
            return _Anything()
