"""What the README and docs/connect.md show, block by block, so that tests run what a reader would copy."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONNECT = ROOT / "docs" / "connect.md"
PROGRAMS = Path(sys.executable).parent


class Block(NamedTuple):
    """One fenced block, and where it stands."""

    where: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    fences = (token for token in MarkdownIt().parse(page.read_text()) if token.type == "fence")
    return [Block(f"{page.name}:{(token.map or [0])[0] + 1}", token.info, token.content) for token in fences]


def block(page: Path, language: str, part: str) -> Block:
    """Return the one block of a language that holds `part`."""
    (found,) = (each for each in blocks(page) if each.language == language and part in each.text)
    return found


def environment(**ours: str) -> dict[str, str]:
    """This process's environment, with no settings of tierwatch but these."""
    theirs = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
    return theirs | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"} | ours


def shell(text: str) -> list[str]:
    """The command that runs a block as a person's shell would, with the tierwatch that is tested."""
    return ["bash", "-euo", "pipefail", "-c", text.replace(".venv/bin/", f"{PROGRAMS}/")]


def run(text: str, folder: Path = ROOT, seconds: float = 60, **ours: str) -> str:
    """Run a block of shell and return what it prints; fail with all it said when it fails."""
    done = subprocess.run(
        shell(text), check=False, cwd=folder, env=environment(**ours), text=True, capture_output=True, timeout=seconds
    )
    assert done.returncode == 0, f"{text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
