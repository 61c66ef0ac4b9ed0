"""How a profile is kept: a byte of version, one of reserved flags, MessagePack. An old version is read for ever."""

from typing import Final

import msgspec

from pipeline.behaviour.baseline import Baseline
from pipeline.behaviour.profile import Profile
from pipeline.behaviour.rhythm import HOURS
from schemas.transaction import TRANSACTION_TYPES

VERSION: Final = b"\x01\x00"
# Of a customer who does everything that is remembered, with the longest names.
LARGEST: Final = 4 * 1024

# First receipt, receipts, the last one's amount.
_Receipts = tuple[int, int, int]
# When, latitude, longitude.
_Located = tuple[int, float, float]
# Of the baseline count, mean, variance; first and latest payment; payments by hour, by type; spikes;
# categories; payments by country; receipts; the latest located payment.
_Kept = tuple[
    int,
    float,
    float,
    int,
    int,
    bytes,
    list[int],
    list[tuple[int, float]],
    bytes,
    dict[str, int],
    _Receipts | None,
    _Located | None,
]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


class ProfileError(ValueError):
    """These bytes are not a profile of a version that is known here."""


def write_profile(profile: Profile) -> bytes:
    """The profile's bytes; the same profile always gives the same ones, and one of nothing gives none."""
    baseline, rhythm, receipts, places = profile.baseline, profile.rhythm, profile.receipts, profile.places
    if not baseline.count and not receipts.received and places.located_ms < 0:
        return b""
    kept: _Kept = (
        baseline.count,
        baseline.mean,
        baseline.variance,
        rhythm.first_ms,
        rhythm.latest_ms,
        bytes(rhythm.hours),
        receipts.by_kind,
        profile.spikes.kept,
        profile.categories.to_bytes(),
        places.countries,
        (receipts.received_ms, receipts.received, receipts.received_amount) if receipts.received else None,
        (places.located_ms, places.lat, places.lon) if places.located_ms >= 0 else None,
    )
    return VERSION + _encode(kept)


def read_profile(data: bytes) -> Profile:
    """A profile from its bytes.

    Raises:
        ProfileError: the bytes are of an unknown version, or broken.

    """
    if not data:
        return Profile()
    if data[:1] != VERSION[:1]:
        raise ProfileError(f"a profile of version {data[:1].hex()}; this worker reads version 1: upgrade it")
    try:
        return _profile(_decode(data[2:]))
    except (msgspec.DecodeError, ValueError) as error:
        raise ProfileError(f"broken profile: {error}") from None


def _profile(kept: _Kept) -> Profile:
    count, mean, variance, first_ms, latest_ms, hours, by_kind, spikes, categories, countries, receipts, located = kept
    if len(hours) != HOURS or len(by_kind) > len(TRANSACTION_TYPES):
        raise ValueError("not as many hours as a day has, or more types than there are")
    profile = Profile()
    profile.baseline = Baseline(count, mean, variance)
    rhythm = profile.rhythm
    rhythm.first_ms, rhythm.latest_ms, rhythm.hours, rhythm.known = first_ms, latest_ms, bytearray(hours), sum(hours)
    # A type that came later is appended.
    profile.receipts.by_kind[: len(by_kind)] = by_kind
    if receipts is not None:
        profile.receipts.received_ms, profile.receipts.received, profile.receipts.received_amount = receipts
    profile.spikes.kept = spikes
    profile.categories.read(categories)
    profile.places.countries = countries
    if located is not None:
        profile.places.locate(*located)
    return profile
