"""What a restart asks of each dossier, told before its bytes: when the clock has to look at whom.

Whoever has a million customers restarts without reading a million lives. What a sweep makes many due for is no part of
it, for nobody is written anew when a policy changes: whom one may concern is read after all.
"""

from functools import lru_cache
from struct import Struct
from typing import Final
from zlib import crc32

from pipeline.policy.sweeps import Sweep
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.dossier_bytes import AHEAD_SIZE, UnreadableDossierError, ahead_of, decode, encode
from pipeline.whitelist.on_time import due
from pipeline.whitelist.sweeping import seen_ms

# The next moment at which something happens by itself; whether a grant runs, and whether anything is on file that a
# sweep may take back; a digest of the grant's tier; up to when policies and lists concern it no more.
_AHEAD: Final = Struct("<q??Iqq")
_FOREVER: Final = (1 << 63) - 1


def state_of(customer_id: str, dossier: Dossier) -> bytes | None:
    """The dossier's bytes with what a restart asks of them; None, which is no record, for an empty one."""
    due_ms, seen = due(customer_id, dossier), seen_ms(dossier)
    tier, policies_ms, lists_ms = seen or ("", 0, 0)
    ahead = _AHEAD.pack(
        _FOREVER if due_ms is None else due_ms,
        seen is not None,
        bool(dossier.file),
        _digest(tier),
        policies_ms,
        lists_ms,
    )
    return encode(dossier, ahead)


def due_of(customer_id: str, state: bytes, sweeps: tuple[Sweep, ...]) -> int | None:
    """What `due` says of the dossier of these bytes.

    Raises:
        UnreadableDossierError: the bytes were damaged, or a newer version wrote them.

    """
    ahead = ahead_of(state)
    if not ahead:
        return due(customer_id, decode(state), sweeps)
    if len(ahead) < AHEAD_SIZE:
        raise UnreadableDossierError("a damaged dossier: it ends before it begins")
    told: tuple[int, bool, bool, int, int, int] = _AHEAD.unpack(ahead)
    due_ms, granted, filed, tier, policies_ms, lists_ms = told
    if granted:
        seen = {"policy_tightened": policies_ms, "screening_list_changed": lists_ms}
        for sweep in sweeps:
            concerned = sweep.effective_ms > seen[sweep.why] if sweep.why in seen else filed
            if concerned and (not sweep.tier or _digest(sweep.tier) == tier):
                return due(customer_id, decode(state), sweeps)
    return None if due_ms == _FOREVER else due_ms


@lru_cache(maxsize=256)
def _digest(tier: str) -> int:
    return crc32(tier.encode())
