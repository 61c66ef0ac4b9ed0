"""The compiled pipeline of these sources, for the tests."""

import shutil
from pathlib import Path

from agents import compiled
from load_tests.services.need import UnavailableError, locked

# Kept from run to run by the digest of the sources; apart from `.compiled`, which is a person's.
_CACHE = compiled.ROOT / ".cache" / "compiled"


def compiled_folder() -> Path:
    """The person's own, or one made here and now, soon rather than fast."""
    if compiled.fits():
        return compiled.FOLDER
    if not compiled.can_compile():
        raise UnavailableError("no compiled pipeline: install a C compiler, your system's package gcc or clang")
    folder = _CACHE / compiled.digest()[:16]
    _CACHE.mkdir(parents=True, exist_ok=True)
    with locked(_CACHE / "lock"):
        for other in _CACHE.iterdir():
            if other.is_dir() and other != folder:
                shutil.rmtree(other)
        compiled.bring(folder, level=0)
    return folder
