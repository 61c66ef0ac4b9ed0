"""State records that stand beside the dossiers, under keys that no customer can have, and that are seldom needed."""

from collections.abc import Callable


class Beside:
    """Bytes by key. Nothing is held decoded: each is read when it is asked for."""

    def __init__(self, lookup: Callable[[bytes], bytes | None]) -> None:
        """`lookup` gives the newest bytes of a key as of the last `take_changes`."""
        self._lookup = lookup
        self._changed: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """The newest bytes, None for none."""
        return self._changed[key] if key in self._changed else self._lookup(key)

    def put(self, key: bytes, state: bytes | None) -> None:
        """Hold new bytes; None deletes."""
        self._changed[key] = state

    def take_changes(self) -> dict[bytes, bytes | None]:
        """What must be written since the last time."""
        changed, self._changed = self._changed, {}
        return changed
