"""Pictures of boards: Node bundles Grafana's components, Chromium draws with them."""

import json
import subprocess
from pathlib import Path
from typing import TypedDict

from load_tests.services.need import program
from load_tests.services.node import installed

HERE = Path(__file__).parent
PACKAGE = HERE / "package.json"
_DRAWS_S = 600


class Drawn(TypedDict):
    """What a board's picture lacks: errors of its components, and the panels that are empty."""

    wrong: list[str]
    empty: list[str]


def drawn(folder: Path) -> dict[str, Drawn]:
    """Draw each NAME.json of a folder, as `run.told` writes it, into NAME.png.

    Raises:
        UnavailableError: a program or a package cannot be had; the text says what to do.

    """
    node, chromium = program("node", "nodejs"), program("chromium", "chromium")
    modules = installed("boards", PACKAGE, "Grafana's components")
    command = [node, str(HERE / "picture.mjs"), str(modules), chromium, str(folder)]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, timeout=_DRAWS_S)
    found: dict[str, Drawn] = json.loads(done.stdout)
    return found
