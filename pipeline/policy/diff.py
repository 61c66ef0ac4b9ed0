"""Two versions of a policy compared, in words: `gold: amount_day 30,000.00 -> 80,000.00 USD`.

It walks the table of fields that the loader reads by, so no field can change unseen, and one added later is compared
from the first day.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import Amount
from pipeline.policy.containers import Field, ListOf, MapOf, Record
from pipeline.policy.fields import POLICY
from pipeline.policy.model import Policy
from pipeline.policy.shapes import Choice, Leaf, Shape

Effect = Literal["tightened", "loosened", "changed"]

# Sections that are not about all customers alike: the terms of one tier, or how the policy itself changes.
_NOT_FOR_ALL = frozenset(
    {
        *("tiers", "name", "version", "people", "attestations", "cases"),
        *("policy_approvals", "policy_approver_roles", "break_glass_roles"),
    }
)
_SUBJECTS = {"tiers": "{}", "rules": "rule {}", "outcomes": "outcome {}", "people": "person {}"}
_ABSENT = "none"

Path = tuple[str, ...]


class Change(NamedTuple):
    """One field that differs. `tier` is None where it holds for every tier, or for no customer at all.

    `old` and `new` are in words, `none` where it is absent; `unit` is the base currency for amounts, else empty.
    A tier, person, … that is gone is one change: its `field` is `removed`.
    """

    section: str
    subject: str
    tier: str | None
    field: str
    old: str
    new: str
    unit: str
    effect: Effect

    def __str__(self) -> str:
        """`gold: amount_day 30,000.00 -> 80,000.00 USD`."""
        values = f"{self.old} -> {self.new}" if self.old else ""
        return " ".join(filter(None, (f"{self.subject}:", self.field, values, self.unit)))


class _Value(NamedTuple):
    """What stands at a path: its words, and where it stands in the order of what is tighter."""

    words: str
    unit: str = ""
    order: Any = None
    tighter: str | None = None


_NOTHING = _Value(_ABSENT)


def diff(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Everything that differs, in the order of the new file, and then what is gone; empty when both say the same."""
    before, after = _values(old), _values(new)
    gone, come = _items(before) - _items(after), _items(after) - _items(before)
    changes = [
        _change(path, before.get(path), value, in_a_new_one=path[:2] in come)
        for path, value in after.items()
        if path not in before or before[path].words != value.words
    ]
    changes += [_removed(*item) for item in dict.fromkeys(path[:2] for path in before if path[:2] in gone)]
    changes += [
        _change(path, value, None) for path, value in before.items() if path not in after and path[:2] not in gone
    ]
    return tuple(changes)


def touched_tiers(changes: Sequence[Change], old: Policy, new: Policy) -> tuple[str, ...]:
    """The tiers whose customers notice one of these changes; those that are gone included, lowest first."""
    tiers = dict.fromkeys(tier.name for policy in (old, new) for tier in policy.tiers)
    if any(change.section not in _NOT_FOR_ALL for change in changes):
        return tuple(tiers)
    touched = {change.tier for change in changes}
    return tuple(name for name in tiers if name in touched)


def tightened(old: Policy, new: Policy) -> Mapping[str, tuple[Change, ...]]:
    """By tier, what its customers are allowed less of: they are due for review, for this cause.

    A tier that is gone counts as tightened. Rules weigh on every tier alike and are nobody's terms.
    """
    tighter: dict[str, list[Change]] = {}
    for change in diff(old, new):
        if change.tier is not None and change.effect == "tightened":
            tighter.setdefault(change.tier, []).append(change)
    return {tier: tuple(changes) for tier, changes in tighter.items()}


def _items(values: Mapping[Path, _Value]) -> set[Path]:
    """The tiers, people, … that there are, by section and name."""
    return {path[:2] for path in values if path[0] in _SUBJECTS and path[2:]}


def _removed(section: str, name: str) -> Change:
    tier = name if section == "tiers" else None
    effect: Effect = "tightened" if tier else "changed"
    return Change(section, _SUBJECTS[section].format(name), tier, "removed", "", "", "", effect)


def _change(path: Path, old: _Value | None, new: _Value | None, *, in_a_new_one: bool = False) -> Change:
    section, *steps = path
    if section in _SUBJECTS and steps:
        subject = _SUBJECTS[section].format(steps[0])
        inside = steps[2:] if section == "tiers" and steps[1:2] == ["limits"] else steps[1:]
    else:
        subject, inside = "policy", [section, *steps]
    return Change(
        section=section,
        subject=subject,
        tier=steps[0] if section == "tiers" and steps else None,
        field=".".join(inside),
        old=(old or _NOTHING).words,
        new=(new or _NOTHING).words,
        unit=(new or old or _NOTHING).unit,
        effect="changed" if in_a_new_one else _effect(old, new),
    )


def _effect(old: _Value | None, new: _Value | None) -> Effect:
    if old is None or new is None:
        # Only what limits can be tightened; its absence is the absence of a tier, or of a criterion that a tier asks.
        gone = new is None and old is not None and old.tighter == "lower"
        asked = old is None and new is not None and new.tighter == "higher"
        return "tightened" if gone or asked else "changed"
    if old.tighter is None or old.order == new.order:
        return "changed"
    falls = new.order < old.order
    return "tightened" if falls == (old.tighter == "lower") else "loosened"


def _values(policy: Policy) -> dict[Path, _Value]:
    exponent = EXPONENTS[policy.base_currency]
    return dict(_record(POLICY, policy, (), exponent, policy.base_currency))


def _record(record: Record, value: Any, path: Path, exponent: int, currency: str) -> Iterator[tuple[Path, _Value]]:  # noqa: ANN401 - a policy's parts, each of its own type
    for name, field in record.fields.items():
        attribute = name + field.shape.unit
        inner = value.get(attribute) if isinstance(value, Mapping) else getattr(value, attribute)
        yield from _walk(field, field.shape, inner, (*path, name), exponent, currency)


def _walk(
    field: Field, shape: Shape, value: Any, path: Path, exponent: int, currency: str  # noqa: ANN401 - the same
) -> Iterator[tuple[Path, _Value]]:  # fmt: skip
    if isinstance(shape, Record):
        if value is not None:
            yield from _record(shape, value, path, exponent, currency)
    elif isinstance(shape, ListOf) and isinstance(shape.item, Record) and (by := _named_by(shape.item)):
        yield path, _Value(", ".join(getattr(item, by) for item in value) or _ABSENT)
        unnamed = Record("", {name: field for name, field in shape.item.fields.items() if name != by})
        for item in value:
            yield from _record(unnamed, item, (*path, getattr(item, by)), exponent, currency)
    elif isinstance(shape, MapOf):
        for name, item in value.items():
            yield from _walk(field, shape.value, item, (*path, name), exponent, currency)
    else:
        unit = currency if isinstance(shape, Amount) else ""
        order = shape.values.index(value) if isinstance(shape, Choice) and value in shape.values else value
        yield path, _Value(_words(shape, value, exponent), unit, order, field.tighter)


def _named_by(item: Record) -> str:
    """The field that tells the items of a list apart, empty where only their places do."""
    return next((name for name in ("name", "id") if name in item.fields), "")


def _words(shape: Shape, value: Any, exponent: int) -> str:  # noqa: ANN401 - the same
    if isinstance(shape, Leaf):
        return _ABSENT if value in (None, "") else shape.say(value, exponent)
    if isinstance(shape, ListOf):
        return f"[{', '.join(_words(shape.item, item, exponent) for item in value)}]"
    if isinstance(shape, Record):
        parts = (
            f"{name} {_words(field.shape, getattr(value, name + field.shape.unit), exponent)}"
            for name, field in shape.fields.items()
        )
        return f"{{{', '.join(parts)}}}"
    raise TypeError(f"no words for {type(shape).__name__}")
