"""The compiled version of the pipeline in a source tree: `make compile` puts one into `.compiled`.

It is a copy of both packages, so nothing compiled ever stands beside a source that somebody edits, and it is used only
while it fits the sources: after an edit the pure version runs, which does the same, until somebody compiles again.
Wheels that were built with `TIERWATCH_COMPILE=1` are compiled as they are; nothing here concerns them.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".compiled"
_PACKAGES = ("pipeline", "schemas")
# What the build reads beside the packages.
_BUILD_FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
_DIGEST = "DIGEST"
_CACHES = re.compile(r"(^|/)(\.|__pycache__)")


def prefer(folder: Path = FOLDER) -> None:
    """Have the compiled version imported where there is one that fits; too late where a package was imported before."""
    if sys.modules.keys().isdisjoint(_PACKAGES) and fits(folder):
        sys.path.insert(0, str(folder))


def fits(folder: Path = FOLDER) -> bool:
    """Whether the compiled version that stands there was made from these sources, by this Python."""
    try:
        return (folder / _DIGEST).read_text() == digest()
    except OSError:
        return False


def is_compiled() -> bool:
    """Whether the version that runs, or would run, is compiled."""
    spec = find_spec("pipeline.partition")
    return spec is not None and (spec.origin or "").endswith(tuple(EXTENSION_SUFFIXES))


def how_to(folder: Path = FOLDER) -> str:
    """What to do where pure Python runs and speed matters."""
    return f"make compile: {folder.name} is of other sources" if folder.exists() else "docs/performance.md"


def can_compile() -> bool:
    """Whether mypyc and a C compiler are here."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    return find_spec("mypyc") is not None and shutil.which(compiler) is not None


def digest() -> str:
    """Of all that a compiled version depends on: the packages, how they are compiled, for which Python."""
    whole = sha256(sys.version.encode())
    for path in _sources():
        whole.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def bring(folder: Path = FOLDER, level: int = 2) -> None:
    """Compile into `folder` unless what stands there fits, and say so: it takes a minute or two.

    Raises:
        subprocess.CalledProcessError: no compiler, or it failed; what it said is in `stderr`.

    """
    if not fits(folder):
        sys.stderr.write(f"compiling the pipeline into {folder.name}, once for these sources\n")
        build(folder, level)


def build(folder: Path, level: int = 2) -> None:
    """Compile into `folder`, which is replaced; `level` is the compiler's -O.

    Raises:
        subprocess.CalledProcessError: no compiler, or it failed; what it said is in `stderr`.

    """
    made_from = digest()
    aside = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        for path in _sources():
            copy = aside / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        for name in _BUILD_FILES:
            shutil.copy2(ROOT / name, aside)
        environment = {**os.environ, "TIERWATCH_COMPILE": "1", "TIERWATCH_COMPILE_LEVEL": str(level)}
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        subprocess.run(  # noqa: S603 - our own setup.py
            command, cwd=aside, env=environment, check=True, capture_output=True, text=True
        )
        for name in ("build", ".mypy_cache"):
            shutil.rmtree(aside / name, ignore_errors=True)
        (aside / _DIGEST).write_text(made_from)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sources() -> list[Path]:
    found = (path for name in _PACKAGES for path in (ROOT / name).rglob("*") if path.is_file())
    # Caches of tools that look at the sources are no sources.
    return [ROOT / "setup.py", *sorted(path for path in found if not _CACHES.search(str(path.relative_to(ROOT))))]


def main() -> None:
    """Compile for this source tree."""
    try:
        bring()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stdout}{error.stderr}\nThe pipeline could not be compiled; it runs in pure Python as before.")


if __name__ == "__main__":
    main()
