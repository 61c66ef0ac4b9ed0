"""The house itself: pins, make targets, packaging, and nothing of anybody's machine in the repository."""

import itertools
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ["requirements.txt", "requirements-dev.txt"]
PACKAGES = ("schemas", "pipeline", "agents", "console", "load_tests")

PIN = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")

# Where things came from, or where somebody keeps them, is no business of the repository.
PRIVATE = {
    "a path of somebody's machine": re.compile(rb"(?<![\w.~}-])/(?:work|root|home|Users|tmp)/\w"),
    "a registry's address": re.compile(
        rb"pypi\.org|pythonhosted\.org|registry\.npmjs|repo1?\.maven|deb\.debian|proxy\.golang|static\.crates",
        re.IGNORECASE,
    ),
}


def tracked_files() -> list[Path]:
    """Return what git tracks, or skip where the sources came without git."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is tracked cannot be known")
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if (ROOT / name).is_file()]


def pins(name: str) -> set[tuple[str, str]]:
    """Return (project, version) of each pin."""
    matches = [PIN.match(line) for line in (ROOT / name).read_text().splitlines()]
    return {(match[1], match[2]) for match in matches if match}


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_are_pins_with_hashes_and_nothing_else(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    strange = [line for line in lines if not (PIN.match(line) or HASH.match(line) or line.lstrip().startswith("#"))]
    assert strange == []
    unhashed = [line for line, below in itertools.pairwise(lines) if PIN.match(line) and not HASH.match(below)]
    assert unhashed == []
    assert len(pins(name)) > len(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])


def test_what_is_tested_is_what_runs() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


@pytest.mark.parametrize("what", PRIVATE)
def test_the_repository_holds_no(what: str) -> None:
    found = {
        str(path.relative_to(ROOT)): match[0].decode()
        for path in tracked_files()
        if (match := PRIVATE[what].search(path.read_bytes()))
    }
    assert found == {}


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    shown = subprocess.run(["make"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert re.findall(r"^  make (\S+) +\S.*$", shown, re.MULTILINE) == targets


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (*REQUIREMENTS, "pyproject.toml"):
        (tmp_path / name).touch()
    done = subprocess.run(["make", "run", f"PYTHON={old}"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "tierwatch needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_wheel_holds_all_code_and_data(tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    tracked = [path.relative_to(ROOT) for path in tracked_files()]
    for path in tracked:
        (clean / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, clean / path)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], check=True, cwd=clean, capture_output=True)
    (wheel,) = tmp_path.glob("tierwatch-*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    not_shipped = {".gitattributes", "README.md", "ruff.toml"}
    ours = {str(path) for path in tracked if path.parts[0] in PACKAGES and path.name not in not_shipped}
    assert ours - shipped == set()
    assert {name.split("/")[0] for name in shipped if ".dist-info/" not in name} == set(PACKAGES)
