"""How a profile is kept: a byte of version, one of reserved flags, MessagePack. An old version is read for ever."""

from typing import Final

import msgspec

from pipeline.behaviour.baseline import Baseline
from pipeline.behaviour.categories import Categories
from pipeline.behaviour.first_seen import FirstSeen
from pipeline.behaviour.profile import Profile
from pipeline.behaviour.rhythm import Rhythm
from pipeline.behaviour.spikes import Spikes

VERSION: Final = b"\x01\x00"

_Baseline = tuple[int, float, float]
_Rhythm = tuple[list[int], list[tuple[int, int]], int]
# First receipt, receipts, the last one's amount, payments by kind, payees by last use, when new payees were paid.
_FirstSeen = tuple[int, int, int, dict[str, int], list[str], list[int]]
_Kept = tuple[_Baseline, list[tuple[int, float]], _Rhythm, list[tuple[str, _Baseline]], _FirstSeen]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


class ProfileError(ValueError):
    """These bytes are not a profile of a version that is known here."""


def to_bytes(profile: Profile) -> bytes:
    """The profile's bytes; the same profile always gives the same ones."""
    seen = profile.first_seen
    kept: _Kept = (
        _baseline(profile.baseline),
        profile.spikes.kept,
        (profile.rhythm.hours, profile.rhythm.recent, profile.rhythm.first_ms),
        # Sorted: what was learned counts, not in which order.
        sorted([(name, _baseline(each)) for name, each in profile.categories.known.items()]),
        (
            seen.received_ms,
            seen.received,
            seen.received_amount,
            dict(sorted(seen.by_kind.items())),
            list(seen.payees),
            seen.new_at,
        ),
    )
    return VERSION + _encode(kept)


def from_bytes(data: bytes) -> Profile:
    """A profile from its bytes.

    Raises:
        ProfileError: the bytes are of an unknown version, or broken.

    """
    if data[:1] != VERSION[:1]:
        raise ProfileError(f"a profile of version {data[:1].hex() or 'none'}; this worker reads version 1: upgrade it")
    try:
        baseline, spikes, rhythm, categories, first_seen = _decode(data[2:])
    except msgspec.DecodeError as error:
        raise ProfileError(f"broken profile: {error}") from None
    profile = Profile()
    profile.baseline = Baseline(*baseline)
    profile.spikes = Spikes(spikes)
    profile.rhythm = Rhythm(*rhythm)
    profile.categories = Categories({name: Baseline(*each) for name, each in categories})
    profile.first_seen = _first_seen(first_seen)
    return profile


def _first_seen(kept: _FirstSeen) -> FirstSeen:
    seen = FirstSeen()
    seen.received_ms, seen.received, seen.received_amount, seen.by_kind, payees, seen.new_at = kept
    seen.payees = dict.fromkeys(payees)
    return seen


def _baseline(baseline: Baseline) -> _Baseline:
    return baseline.count, baseline.mean, baseline.variance
