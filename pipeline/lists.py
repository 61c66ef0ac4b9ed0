"""The deny list and the watch list: payees, devices, merchants and address ranges of which somebody has said why.

An entry holds from when it was taken until it is removed, or until it ends by itself, as of the arrival.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from schemas.list_entry import ListEntry
from schemas.timestamps import parse_ms

NEVER_ENDS: Final = 2**62
ADDRESS: Final = "address"


class Listed(NamedTuple):
    """An entry, until when it holds (epoch ms), and the addresses it is about, if it is about any."""

    entry: ListEntry
    until_ms: int
    addresses: IPv4Network | IPv6Network | None


class Lists:
    """All entries that were not removed; the same entries in the same order give the same hits."""

    def __init__(self) -> None:
        """Nobody is listed."""
        # By the entry's key, in the order in which they were first made.
        self.listed: dict[str, Listed] = {}
        self._ranges: dict[str, Listed] = {}

    def apply(self, entry: ListEntry) -> None:
        """Take an entry; it replaces what its list said of this value.

        Raises:
            ValueError: an address that is no range of addresses, or a time that does not exist; nothing changed.

        """
        until_ms = NEVER_ENDS if entry.until is None else parse_ms(entry.until)
        addresses = _range(entry.value) if entry.kind == ADDRESS else None
        listed = Listed(entry, until_ms, addresses)
        for kept in (self.listed, self._ranges):
            if entry.removed:
                kept.pop(entry.key, None)
            elif kept is self.listed or addresses is not None:
                kept[entry.key] = listed

    def hit(self, name: str, kind: str, value: str, arrived_ms: int) -> ListEntry | None:
        """The entry of a list that holds for a payee, device or merchant, or for one IP address; None if none does."""
        if kind != ADDRESS:
            listed = self.listed.get(f"{name}/{kind}/{value}")
            return listed.entry if listed is not None and arrived_ms < listed.until_ms else None
        if not self._ranges:
            return None
        try:
            address = ip_address(value)
        except ValueError:
            return None
        for listed in self._ranges.values():
            held = listed.entry.list == name and arrived_ms < listed.until_ms
            if held and listed.addresses is not None and address in listed.addresses:
                return listed.entry
        return None


def _range(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError("$.value is no range of IP addresses, such as 203.0.113.0/24") from None
