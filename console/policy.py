"""`tierwatch policy`: what a risk officer does with the policy."""

from pathlib import Path
from typing import Annotated

import typer

from console import policy_calibrate, policy_diff, policy_glass, policy_life, policy_show

app = typer.Typer(no_args_is_help=True, help="The policy: tiers, limits, rules, outcomes.")


@app.callback()
def policy() -> None:
    """The policy: tiers, limits, rules, outcomes."""


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The policy to check, YAML.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say everything that is wrong with a policy, each with file, line and column."""
    from msgspec.json import encode

    from agents.exit_codes import Exit
    from console.policies import read_yaml
    from console.terminal import counted
    from pipeline.policy.load import PolicyError, load_policy, policy_digest

    yaml = read_yaml(file)
    try:
        loaded = load_policy(yaml)
    except PolicyError as error:
        if json:
            problems = [problem._asdict() for problem in error.problems]
            typer.echo(encode({"file": str(file), "ok": False, "problems": problems}))
        else:
            for problem in error.problems:
                place = f"{file}:{problem.line}:{problem.column}:"
                typer.echo(" ".join(filter(None, [place, problem.path and f"{problem.path}:", problem.message])))
            typer.echo(
                f"{file}: {counted(len(error.problems), 'problem')}; a worker would keep the policy in force.", err=True
            )
        raise typer.Exit(Exit.BAD_INPUT) from None
    if json:
        said = {"file": str(file), "ok": True, "name": loaded.name, "version": loaded.version}
        typer.echo(encode(said | {"digest": policy_digest(yaml), "problems": []}))
    else:
        tiers = ", ".join(tier.name for tier in loaded.tiers)
        typer.echo(f"{file}: fits. {loaded.name} version {loaded.version}, tiers {tiers}, SHA-256 {loaded.digest}")


app.command("diff")(policy_diff.command)
app.command("calibrate")(policy_calibrate.command)
app.command("propose")(policy_life.propose)
app.command("approve")(policy_life.approve)
app.command("reject")(policy_life.reject)
app.command("rollback")(policy_life.rollback)
app.command("break-glass")(policy_glass.break_glass)
app.command("mend-glass")(policy_glass.mend_glass)
app.command("review-glass")(policy_glass.review_glass)
app.command("show")(policy_show.show)
app.command("history")(policy_show.history)
