"""AsyncAPI's reference parser, which runs on Node."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from load_tests.services.need import UnavailableError, program
from load_tests.services.node import installed

HERE = Path(__file__).parent / "asyncapi"
PACKAGE = HERE / "package.json"
NODE_AT_LEAST = 18


class Diagnostic(TypedDict):
    """One remark of the parser; severity 0 is an error, 1 a warning, 2 information, 3 a hint."""

    code: str
    message: str
    path: list[str | int]
    severity: int


class Verdict(TypedDict):
    """What the parser makes of a document; one that is invalid is not `parsed`."""

    parsed: bool
    diagnostics: list[Diagnostic]


Parser = Callable[[str], Verdict]


def parser() -> Parser:
    """Return a function that lets the reference parser judge the text of an AsyncAPI document, JSON or YAML."""
    node, modules = _node(), installed("asyncapi", PACKAGE, "the AsyncAPI parser")

    def parse(text: str) -> Verdict:
        command = [node, str(HERE / "check.mjs"), str(modules)]
        done = subprocess.run(command, check=True, input=text, text=True, capture_output=True, timeout=120)
        verdict: Verdict = json.loads(done.stdout)
        return verdict

    return parse


def _node() -> str:
    node = program("node", f"nodejs (version {NODE_AT_LEAST} or newer)")
    version = subprocess.run([node, "--version"], check=True, text=True, capture_output=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < NODE_AT_LEAST:
        reason = f"the AsyncAPI parser needs Node {NODE_AT_LEAST} or newer; {node} is {version}"
        raise UnavailableError(reason)
    return node
