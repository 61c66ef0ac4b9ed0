"""Things from outside that a machine may lack, and what a person does about it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class UnavailableError(Exception):
    """Something the tests need cannot be had here; the text says what, why, and what to do."""


def program(name: str, package: str) -> str:
    """Return the path of a program of the system, or raise `UnavailableError` naming the package that holds it."""
    found = shutil.which(name)
    if found is None:
        reason = f"no {name} on this machine: install your system's package {package}"
        raise UnavailableError(reason)
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` against every other process until the block ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def brought(name: str, recipe: Path, bring: Callable[[Path], None], cache: Path | None = None) -> Path:
    """Return the cached folder that `bring` fills once for each content of `recipe`, a file or a folder.

    A recipe that changes gets a new folder, so checkouts side by side never spoil each other's cache. `cache` is by
    default the person's own.
    """
    if cache is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tierwatch"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{name}-{_digest(recipe)[:12]}"
    with locked(cache / f"{folder.name}.lock"):
        if not folder.exists():
            # Filled aside and renamed: an interrupted download is never taken for a whole one.
            with tempfile.TemporaryDirectory(dir=cache) as aside:
                bring(Path(aside) / name)
                (Path(aside) / name).rename(folder)
    return folder


def _digest(recipe: Path) -> str:
    if recipe.is_file():
        return hashlib.sha256(recipe.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for path in sorted(each for each in recipe.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def download(command: list[str], what: str) -> None:
    """Run a package manager; `UnavailableError` carries its last words."""
    done = subprocess.run(command, check=False, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)
    if done.returncode:
        last_words = (done.stdout + done.stderr).strip()[-600:]
        reason = f"{what} could not be downloaded ({Path(command[0]).name} ended with {done.returncode}):\n{last_words}"
        raise UnavailableError(reason)
