"""Whose word about our applicants counts: platforms that attest what they have checked, and the keys they sign with."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from pipeline.policy.containers import Field, ListOf, Record
from pipeline.policy.durations import Duration
from pipeline.policy.keys import PublicKey
from pipeline.policy.reading import Reading
from pipeline.policy.shapes import Choice, Leaf, Text
from schemas.attestation import AttestedKind
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms


class IssuerKey(Struct, frozen=True, kw_only=True):
    """A public key (32 bytes); it stands for attestations issued from a time on until before another."""

    id: str
    key: bytes
    from_ms: int
    until_ms: int


class Issuer(Struct, frozen=True, kw_only=True):
    """A platform: the kinds of evidence its word counts for, and for how long after it was given."""

    name: str
    evidence: tuple[AttestedKind, ...]
    max_age_ms: int
    keys: tuple[IssuerKey, ...]
    revoked: tuple[str, ...] = ()


class Attestations(Struct, frozen=True, kw_only=True):
    """What we are called in others' attestations, and whom we trust."""

    audience: str
    issuers: tuple[Issuer, ...]


class Moment(Leaf):
    """A moment, RFC 3339."""

    unit = "_ms"
    placeholder = 0
    words = "a time with its offset, such as 2026-01-01T00:00:00Z"

    def parse(self, text: str, reading: Reading) -> int:  # noqa: ARG002 - a shape's signature
        """Give epoch milliseconds."""
        try:
            return parse_ms(text)
        except (ValueError, OverflowError):
            raise ValueError("") from None

    def say(self, value: int, exponent: int) -> str:  # noqa: ARG002 - a shape's signature
        """As it is written."""
        return format_ms(value)

    def schema(self) -> dict[str, Any]:
        """A date and time."""
        return {"type": "string", "format": "date-time"}


_NAME = Text("a name: letters, digits and . _ : -, at most 128", "[A-Za-z0-9._:-]{1,128}")
# Our own screening is always due: nobody's word stands in for it.
_KIND = Choice("identity", "credit", "source_of_funds")

ISSUER_KEY = Record(
    "a key: id, key, from, until",
    {
        "id": Field(_NAME, "Its id, as the issuer's attestations name it."),
        "key": Field(PublicKey(), "The public key."),
        "from": Field(Moment(), "It stands for what is issued from then on."),
        "until": Field(Moment(), "It stands for nothing issued then or later. To change keys, let two overlap."),
    },
)
ISSUER = Record(
    "an issuer: name, evidence, max_age, keys",
    {
        "name": Field(_NAME, "The platform's name, as its attestations have it (`iss`)."),
        "evidence": Field(
            ListOf(_KIND, "a list of kinds of evidence, such as [identity]", least=1),
            "The kinds of evidence its word counts for; our own screening is always due.",
        ),
        "max_age": Field(
            Duration(MS_PER_HOUR, 3660 * MS_PER_DAY), "How long after it was issued an attestation counts, at most."
        ),
        "keys": Field(ListOf(ISSUER_KEY, "a list of keys", least=1, most=20), "The keys it signs with."),
        "revoked": Field(
            ListOf(_NAME, "a list of ids of attestations"),
            "Attestations that count no more, by their `jti`.",
            required=False,
            default=(),
        ),
    },
)
ATTESTATIONS = Record(
    "audience and issuers",
    {
        "audience": Field(_NAME, "What we are called in the attestations of others (`aud`)."),
        "issuers": Field(ListOf(ISSUER, "a list of issuers", most=100), "The platforms whose word counts."),
    },
)


def problems(terms: Attestations) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong between the fields: the place within them, and what to do."""
    names: Mapping[str, int] = {issuer.name: at for at, issuer in reversed(list(enumerate(terms.issuers)))}
    for at, issuer in enumerate(terms.issuers):
        if names[issuer.name] != at:
            yield ("issuers", at, "name"), "this issuer stands above: give each one entry"
        ids: set[str] = set()
        for number, key in enumerate(issuer.keys):
            here = ("issuers", at, "keys", number)
            if key.id in ids:
                yield (*here, "id"), "this key id is taken above: give every key an id of its own"
            ids.add(key.id)
            if key.until_ms <= key.from_ms:
                yield (*here, "until"), "the key would never stand: put `until` after `from`"
