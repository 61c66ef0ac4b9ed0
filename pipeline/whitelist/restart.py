"""What a restart asks of each dossier, told before its bytes: when the clock has to look at whom.

Whoever has a million customers restarts without reading a million lives. What a sweep makes many due for is no part of
it, for nobody is written anew when a policy changes: whom one may concern is read after all.
"""

from struct import Struct
from typing import Final

from pipeline.policy.sweeps import Sweep
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.dossier_bytes import AHEAD_SIZE, UnreadableDossierError, ahead_of, decode, encode
from pipeline.whitelist.on_time import due
from pipeline.whitelist.sweeping import unconcerned_until_ms

# The next moment at which something happens by itself; until when no sweep concerns the customer; whether anything is
# on file that a sweep may take back.
_AHEAD: Final = Struct("<qq?")
_FOREVER: Final = (1 << 63) - 1


def state_of(customer_id: str, dossier: Dossier) -> bytes | None:
    """The dossier's bytes with what a restart asks of them; None, which is no record, for an empty one."""
    due_ms, until_ms = due(customer_id, dossier), unconcerned_until_ms(dossier)
    ahead = _AHEAD.pack(
        _FOREVER if due_ms is None else due_ms, _FOREVER if until_ms is None else until_ms, bool(dossier.file)
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
    told: tuple[int, int, bool] = _AHEAD.unpack(ahead)
    due_ms, until_ms, filed = told
    if any(filed if sweep.why == "attestation_revoked" else sweep.effective_ms > until_ms for sweep in sweeps):
        return due(customer_id, decode(state), sweeps)
    return None if due_ms == _FOREVER else due_ms
