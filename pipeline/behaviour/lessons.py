"""What a profile has yet to learn: to keep a payment as it is costs a tenth of teaching a profile and writing it anew.

So the newest payments wait, in bytes, and the profile learns every eighth time. When it learns is a matter of how many
wait, never of who has looked: whoever looks sees a profile that has learned all of them, and what is written stays.
"""

from struct import Struct
from struct import error as struct_error
from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.behaviour import categories, places
from pipeline.behaviour.profile import Profile
from pipeline.behaviour.profile_bytes import ProfileError, read_profile, write_profile

VERSION: Final = b"\x02\x00"
_VERSION_1: Final = b"\x01"
_WAITING_AT: Final = 4
MOST: Final = 8
# Of a payment: its time and type; its amount, whether it is located, and how many bytes its category and country take.
_BEGINS: Final = Struct("<qq")
_pack: Final = _BEGINS.pack
_unpack: Final = _BEGINS.unpack_from
_SIZE: Final = 16
_LOCATION: Final = Struct("<dd")
_KIND_BITS: Final = 3
_KIND: Final = 0b111
_COUNTRY_BITS: Final = 6
_COUNTRY_MASK: Final = 0b11_1111
_CATEGORY_MASK: Final = 0b111_1111
_LOCATED: Final = 1 << 13
_SIZES: Final = (1 << 14) - 1
_AMOUNT_SHIFT: Final = 14


@mypyc_attr(acyclic=True)
class Lessons:
    """A profile as it was last written, and the payments since then, fewer than `MOST`."""

    __slots__ = ("_count", "_learned", "_profile", "_waiting", "_written")

    def __init__(self) -> None:
        """Nothing is known."""
        self._profile = Profile()
        self._written = b""
        self._waiting = b""
        self._count = 0
        # How many bytes of those that wait the profile has learned, because somebody has looked.
        self._learned = 0

    @property
    def profile(self) -> Profile:
        """The profile, having learned everything."""
        if self._learned < len(self._waiting):
            self._teach()
        return self._profile

    def add(
        self, at_ms: int, amount: int, kind: int, category: str, country: str, location: tuple[float, float] | None
    ) -> None:
        """Take a payment; see `Profile.learn`. `location` is latitude and longitude, degrees WGS 84."""
        what, where = category[: categories.LONGEST].encode(), country[: places.LONGEST].encode()
        sizes = len(what) << _COUNTRY_BITS | len(where)
        if location is not None:
            sizes |= _LOCATED
            where += _LOCATION.pack(*location)
        begins = _pack(at_ms << _KIND_BITS | kind, amount << _AMOUNT_SHIFT | sizes)
        self._waiting = b"%b%b%b%b" % (self._waiting, begins, what, where)
        self._count += 1
        if self._count >= MOST:
            self._written = write_profile(self.profile)
            self._waiting = b""
            self._count = self._learned = 0

    def to_bytes(self) -> bytes:
        """What is kept: two bytes of version, two of how many bytes wait, these, and the profile that awaits them.

        The same payments always give the same bytes, and none give none.
        """
        if not self._waiting and not self._written:
            return b""
        return b"%b%b%b%b" % (VERSION, len(self._waiting).to_bytes(2, "big"), self._waiting, self._written)

    def read(self, data: bytes) -> None:
        """Take back what `to_bytes` gave, or a profile of version 1, for which nothing waits.

        Raises:
            ProfileError: the bytes are of an unknown version, or broken.

        """
        if not data or data[:1] == _VERSION_1:
            self._written = data
        elif data[:1] == VERSION[:1]:
            end = _WAITING_AT + int.from_bytes(data[2:_WAITING_AT], "big")
            if len(data) < end:
                raise ProfileError("a profile ends within the payments that it has yet to learn")
            self._waiting, self._written = data[_WAITING_AT:end], data[end:]
        else:
            raise ProfileError(f"a profile of version {data[:1].hex()}; this worker reads versions 1 and 2: upgrade it")
        self._profile = read_profile(self._written)
        try:
            self._count = self._teach()
        except (struct_error, ValueError, IndexError) as error:
            raise ProfileError(f"broken payments that a profile has yet to learn: {error}") from None
        if self._learned != len(self._waiting):
            raise ProfileError("a payment that a profile has yet to learn ends too soon")

    def _teach(self) -> int:
        """Let the profile learn those that it has not learned; return how many."""
        profile, waiting = self._profile, self._waiting
        at, taught = self._learned, 0
        while at < len(waiting):
            begins: tuple[int, int] = _unpack(waiting, at)
            when, what = begins
            sizes = what & _SIZES
            names_at = at + _SIZE
            country_at = names_at + (sizes >> _COUNTRY_BITS & _CATEGORY_MASK)
            at = country_at + (sizes & _COUNTRY_MASK)
            category, country = waiting[names_at:country_at].decode(), waiting[country_at:at].decode()
            profile.learn(when >> _KIND_BITS, what >> _AMOUNT_SHIFT, when & _KIND, category, country)
            if sizes & _LOCATED:
                lat, lon = _LOCATION.unpack_from(waiting, at)
                profile.places.locate(when >> _KIND_BITS, lat, lon)
                at += _LOCATION.size
            taught += 1
        self._learned = at
        return taught
