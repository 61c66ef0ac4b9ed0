"""What the peers need, built on first use into `.cache` of the source tree, each in an environment of its own."""

import shutil
import sys
from pathlib import Path

from load_tests.services.need import brought, download, program

HERE = Path(__file__).parent
RULES = HERE / "rules"
STREAMS = HERE / "kafka_streams"
CACHE = HERE.parents[1] / ".cache" / "peers"


def python_with(peer: str) -> str:
    """Return the Python of an environment that holds what `rules/requirements-{peer}.txt` names.

    Raises:
        UnavailableError: it cannot be built here; the text says why.

    """
    requirements = RULES / f"requirements-{peer}.txt"

    def bring(into: Path) -> None:
        download([sys.executable, "-m", "venv", str(into)], f"an environment for {peer}")
        pip = [str(into / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        download([*pip, "-r", str(requirements)], peer)

    return str(brought(peer, requirements, bring, CACHE) / "bin" / "python")


def compiled_rules() -> Path:
    """Return the folder of `reduced`, compiled: every Python engine runs the same machine code.

    Raises:
        UnavailableError: there is no C compiler, or it failed.

    """

    def bring(into: Path) -> None:
        program("cc", "gcc")
        into.mkdir()
        shutil.copy(RULES / "reduced.py", into)
        mypyc = [sys.executable, "-c", f"import os; os.chdir({str(into)!r}); from mypyc.__main__ import main; main()"]
        download([*mypyc, "reduced.py"], "the compiled rules")
        shutil.rmtree(into / "build", ignore_errors=True)

    return brought(f"rules-{sys.implementation.cache_tag}", RULES / "reduced.py", bring, CACHE)


def streams_jars() -> Path:
    """Return the folder of the Kafka Streams program and all it needs.

    Raises:
        UnavailableError: there is no Maven or no Java compiler, or the build failed.

    """

    def bring(into: Path) -> None:
        program("javac", "openjdk-17-jdk-headless")
        mvn = program("mvn", "maven")
        work = into.parent / "build"
        shutil.copytree(STREAMS, work)
        download([mvn, "-q", "-B", "-f", str(work / "pom.xml"), "package"], "Kafka Streams")
        into.mkdir()
        for jar in (work / "target").glob("*.jar"):
            shutil.copy(jar, into)

    return brought("kafka-streams", STREAMS, bring, CACHE)
