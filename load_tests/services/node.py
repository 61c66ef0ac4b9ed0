"""Packages for Node, downloaded once."""

import shutil
from pathlib import Path

from load_tests.services.need import brought, download, program


def installed(name: str, package: Path, what: str) -> Path:
    """Return the cached folder called `name` that holds the `node_modules` of a package.json; `what` is in them.

    Raises:
        UnavailableError: npm or a package cannot be had; the text says what to do.

    """

    def bring(into: Path) -> None:
        npm = program("npm", "npm")
        into.mkdir()
        shutil.copy(package, into)
        quietly = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        download([npm, "install", "--prefix", str(into), *quietly], what)

    return brought(name, package, bring)
