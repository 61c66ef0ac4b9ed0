"""What the house forbids and neither Ruff nor import-linter can see."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ("schemas", "pipeline")

# All that code without a clock, randomness or I/O needs. A new name here is a decision: it must give the same result on
# every machine, in every year.
PURE_MODULES = {
    *("__future__", "abc", "array", "base64", "binascii", "bisect", "collections", "copy", "dataclasses"),
    *("datetime", "decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "zlib"),
    *("ipaddress", "itertools", "json", "math", "operator", "re", "string", "struct", "types", "typing"),
    "unicodedata",
    *("importlib.resources", "zoneinfo"),  # what our own packages and tzdata ship
    *("cryptography", "jwt", "lightgbm", "msgspec", "mypy_extensions", "numpy", "orjson", "rfc8785", "yaml"),
    *PURE,
}
# Built-ins that read or change the world, or whose result differs from one process to the next.
IMPURE_BUILTINS = {"__import__", "breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"}
IMPURE_CALLS = {
    *("date.today", "datetime.now", "datetime.today", "datetime.utcnow"),
    "datetime64",  # of "now" and "today" it is a clock; what lies between two moments is an integer here
    *("default_rng", "numpy.random", "np.random"),
    "ZoneInfo",  # the system's zone data; ZoneInfo.from_file takes tzdata's
}


def sources(package: str) -> list[Path]:
    """Return a package's files, without what writes the generated documents: no worker ever runs that."""
    tools = {
        ROOT / "schemas" / "generate.py",
        ROOT / "schemas" / "publish",
        ROOT / "pipeline" / "policy" / "schema.py",
    }
    return [path for path in sorted((ROOT / package).rglob("*.py")) if tools.isdisjoint({path, *path.parents})]


def impurities(source: str) -> list[str]:
    """Return what in a source makes it depend on more than its inputs, with line numbers."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt | ast.expr)]
    return [f"line {node.lineno}: {what}" for node in nodes for what in _impurity(node)]


def _impurity(node: ast.stmt | ast.expr) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [f"imports {alias.name}" for alias in names if not _is_pure(alias.name)]
        case ast.ImportFrom(module=str(module), level=0, names=names):
            return [f"imports {module}" for _ in names[:1] if not _is_pure(module) and not _are_pure(module, names)]
        case ast.Call(func=ast.Name(id=name)) if name in IMPURE_BUILTINS:
            return [f"calls {name}"]
        case ast.Call(func=func):
            called = ast.unparse(func)
            return [f"calls {called}" for bad in IMPURE_CALLS if called == bad or called.endswith(f".{bad}")]
        case _:
            return []


def _is_pure(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:count]) in PURE_MODULES for count in range(1, len(parts) + 1))


def _are_pure(module: str, names: list[ast.alias]) -> bool:
    return all(_is_pure(f"{module}.{alias.name}") for alias in names)


@pytest.mark.parametrize("package", PURE)
def test_what_detects_depends_on_its_inputs_only(package: str) -> None:
    found = {str(path.relative_to(ROOT)): impurities(path.read_text()) for path in sources(package)}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from os import environ",
        "from importlib import import_module",
        "import importlib",
        "def f():\n    import random",
        "datetime.datetime.now(UTC)",
        "date.today()",
        "np.datetime64('now')",
        "ZoneInfo('Europe/Berlin')",
        "zoneinfo.ZoneInfo('Europe/Berlin')",
        "numpy.random.default_rng(1)",
        "open('state')",
        "hash(customer)",
    ],
)
def test_an_impure_line_is_found(source: str) -> None:
    assert len(impurities(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import importlib.resources",
        "from importlib import resources",
        "from datetime import datetime",
        "datetime.fromtimestamp(at, zone)",
        "ZoneInfo.from_file(file)",
        "from pipeline.rules import night",
    ],
)
def test_a_pure_line_is_not(source: str) -> None:
    assert impurities(source) == []


@pytest.mark.parametrize("package", ["schemas", "pipeline", "agents", "console", "load_tests"])
def test_every_folder_of_code_is_a_package_of_the_distribution(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert {str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()} == set()
