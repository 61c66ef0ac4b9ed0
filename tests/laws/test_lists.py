"""The lists by their law: what was said last of a value holds, from when it was said until its end."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.lists import Lists
from schemas.list_entry import LIST_NAMES, ListedKind, ListEntry, ListName
from schemas.timestamps import format_ms

HOUR = 3_600_000
names = st.sampled_from(LIST_NAMES)


LISTED: tuple[tuple[ListedKind, str], ...] = (
    ("payee", "x-1"),
    ("device", "x-1"),
    ("address", "203.0.113.0/24"),
    ("address", "203.0.113.8/32"),
    ("address", "2001:db8::/32"),
)


@st.composite
def entries(draw: st.DrawFn) -> ListEntry:
    kind, value = draw(st.sampled_from(LISTED))
    until = draw(st.sampled_from((None, 10 * HOUR, 20 * HOUR)))
    return ListEntry(
        list=draw(names), kind=kind, value=value, actor="ana", reason="told", at=format_ms(0),
        until=None if until is None else format_ms(until), removed=draw(st.sampled_from((False, False, True))),
    )  # fmt: skip


# Which addresses lie in which ranges, told by hand.
INSIDE = {
    "203.0.113.8": {"203.0.113.0/24", "203.0.113.8/32"},
    "203.0.113.9": {"203.0.113.0/24"},
    "198.51.100.8": set(),
    "2001:db8::1": {"2001:db8::/32"},
    "no address": set(),
}


def holds(said: list[ListEntry], name: ListName, kind: str, value: str, at_ms: int) -> bool:
    newest: dict[tuple[str, str, str], ListEntry] = {(one.list, one.kind, one.value): one for one in said}
    values = INSIDE[value] if kind == "address" else {value}
    found = [one for each in values if (one := newest.get((name, kind, each))) is not None and not one.removed]
    return any(one.until is None or format_ms(at_ms) < one.until for one in found)


@given(st.lists(entries(), max_size=12), names, st.sampled_from((0, 10 * HOUR - 1, 10 * HOUR, 20 * HOUR)))
def test_what_was_said_last_holds_until_its_end(said: list[ListEntry], name: ListName, at_ms: int) -> None:
    lists = Lists()
    for one in said:
        lists.apply(one)
    asked = [("payee", "x-1"), ("payee", "x-2"), ("device", "x-1"), ("merchant", "x-1")]
    asked += [("address", address) for address in INSIDE]
    for kind, value in asked:
        assert (lists.hit(name, kind, value, at_ms) is not None) == holds(said, name, kind, value, at_ms)
