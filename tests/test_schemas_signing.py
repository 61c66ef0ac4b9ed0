"""A signature holds for what was written, however it is laid out, and for nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.signing import canonical, sign, verify

KEYS = st.binary(min_size=32, max_size=32)
SAFE = 2**53 - 1
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text().filter(lambda name: "signature" not in name), VALUES, min_size=1, max_size=6)


def public(private_key: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


@given(key=KEYS, fields=FIELDS, data=st.data())
def test_order_spaces_and_signatures_of_others_do_not_matter(
    key: bytes, fields: dict[str, Any], data: st.DataObject
) -> None:
    value = sign(key, fields)
    shuffled = {name: fields[name] for name in data.draw(st.permutations(sorted(fields)))}
    text = json.dumps({**shuffled, "signature": {"value": value}, "countersignatures": []}, indent=3)
    assert verify(public(key), json.loads(text), value)


@given(key=KEYS, fields=FIELDS, data=st.data())
def test_any_change_breaks_it(key: bytes, fields: dict[str, Any], data: st.DataObject) -> None:
    value = sign(key, fields)
    name = data.draw(st.sampled_from(sorted(fields)))
    changed = {**fields, name: data.draw(VALUES)}
    same = rfc8785.dumps(changed) == rfc8785.dumps(fields)
    assert verify(public(key), changed, value) == same
    assert not verify(public(key), {other: fields[other] for other in fields if other != name}, value)
    assert not verify(public(key), {**fields, name + "+": 1}, value)


@given(key=KEYS, other=KEYS, fields=FIELDS)
def test_another_key_does_not_fit(key: bytes, other: bytes, fields: dict[str, Any]) -> None:
    assert verify(public(other), fields, sign(key, fields)) == (key == other)


@given(value=st.text() | st.binary(max_size=70).map(lambda raw: raw.hex()), key=st.binary(max_size=40))
def test_what_is_no_signature_is_not_valid(value: str, key: bytes) -> None:
    assert not verify(key, {"a": 1}, value)


@pytest.mark.parametrize("number", [2**53, float("inf"), float("nan")])
def test_numbers_that_readers_disagree_on_cannot_be_signed(number: float) -> None:
    key = bytes(32)
    with pytest.raises(ValueError, match=r"safe integer|representable"):
        sign(key, {"a": number})
    assert not verify(public(key), {"a": number}, sign(key, {"a": 1}))


def test_the_canonical_form_is_that_of_the_standard() -> None:
    fields = {
        "b": [1.0, 1e21, "\u20ac$\n"],
        "\ufb33": 2,
        "a": {"z": None, "y": False},
        "signature": 1,
        "countersignatures": 2,
    }
    assert canonical(fields) == '{"a":{"y":false,"z":null},"b":[1,1e+21,"\u20ac$\\n"],"\ufb33":2}'.encode()


def test_the_example_of_the_readme_runs() -> None:
    page = (Path(__file__).parent.parent / "schemas" / "README.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    key = bytes(range(32))
    exec(compile(example, "schemas/README.md", "exec"), {"private_key": key, "public_key": public(key)})  # noqa: S102 - our own page
