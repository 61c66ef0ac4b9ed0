"""What a customer usually pays in each category: fuel is not jewellery."""

from struct import Struct
from struct import error as struct_error
from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.behaviour.baseline import Baseline

MOST: Final = 24
# Real ones are merchant category codes of four digits; no name takes up more than this.
LONGEST: Final = 24
# Bytes of the name, payments, mean; the variance inside a category is not asked for.
_KEPT: Final = Struct("<BId")
_pack: Final = _KEPT.pack
_SIZE: Final = 13
_LARGEST_COUNT: Final = 0xFFFF_FFFF


@mypyc_attr(acyclic=True)
class Category:
    """How often it was used and what is usual in it."""

    __slots__ = ("name", "usual")

    def __init__(self, name: str, usual: Baseline) -> None:
        """Take what is known."""
        self.name = name
        self.usual = usual

    def to_bytes(self) -> bytes:
        """The category's bytes."""
        name = self.name.encode()
        return _pack(len(name), self.usual.count, self.usual.mean) + name


@mypyc_attr(acyclic=True)
class Categories:
    """A baseline per category; of more than `MOST` categories the one used least is forgotten."""

    __slots__ = ("_latest", "known")

    def __init__(self) -> None:
        """Know none."""
        self.known: dict[str, Category] = {}
        # Often the next payment is of the same.
        self._latest: Category | None = None

    def look(self, name: str, amount: int) -> tuple[float, float]:
        """How often this category was used, and how many times the usual in it the amount is (0: not known)."""
        category = self.known.get(name[:LONGEST])
        return (0.0, 0.0) if category is None else (float(category.usual.count), category.usual.ratio(amount))

    def learn(self, name: str, amount: int) -> None:
        """Count a payment in."""
        latest = self._latest
        if latest is None or latest.name != name:
            latest = self._latest = self._meet(name[:LONGEST])
        if latest.usual.count < _LARGEST_COUNT:
            latest.usual.learn(amount)

    def _meet(self, name: str) -> Category:
        category = self.known.get(name)
        if category is None:
            if len(self.known) >= MOST:
                _, least = min([(each.usual.count, each.name) for each in self.known.values()])
                del self.known[least]
            category = self.known[name] = Category(name, Baseline())
        return category

    def to_bytes(self) -> bytes:
        """All of them, in the order of their first use."""
        return b"".join([category.to_bytes() for category in self.known.values()])

    def read(self, data: bytes) -> None:
        """Take back what `to_bytes` gave.

        Raises:
            ValueError: the bytes are something else.

        """
        at = 0
        try:
            while at < len(data):
                size, count, mean = _KEPT.unpack_from(data, at)
                name = data[at + _SIZE : at + _SIZE + size].decode()
                self.known[name] = Category(name, Baseline(count, mean))
                at += _SIZE + size
        except struct_error as error:
            raise ValueError(f"categories end within one: {error}") from None
        if at > len(data):
            raise ValueError("categories end within a name")
