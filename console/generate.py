"""`python -m console.generate [--check]`: write `docs/cli.md` from the commands themselves."""

import sys
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from console.exit_codes import MEANINGS
from console.generated import keep_current
from console.main import app

CLI = Path(__file__).parents[1] / "docs" / "cli.md"


def reference() -> str:
    """Every command with its options, and what the exit codes mean."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="tierwatch")
    commands = get_docs_for_click(obj=command, ctx=context, name="tierwatch")
    rows = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return (
        "<!-- Written by `python -m console.generate`; change the commands instead. -->\n\n"
        f"{commands.strip()}\n\n## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}"
    )


def main() -> int:
    """Write the file, or with `--check` return 1 where it is not current."""
    return keep_current(CLI, reference(), "console.generate")


if __name__ == "__main__":
    sys.exit(main())
