"""`tierwatch model`: a model trained, told of, proposed to people, approved by two of them, rolled back.

A model does nothing until a policy names its hash, so its life is the policy's: signatures, shadow, history, rollback.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console import model_train, policy_life
from console.errors import CommandError
from console.signing_key import KeyFile
from console.terminal import counted
from schemas.timestamps import format_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.model_file import ModelFile

app = typer.Typer(no_args_is_help=True, help="The learned score: train, show, propose, approve, rollback, history.")
app.command("train")(model_train.train)
app.command("approve")(policy_life.approve)
app.command("rollback")(policy_life.rollback)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_LEAST_DIGITS = 8


@app.command("show")
def show(
    which: Annotated[str, typer.Argument(metavar="MODEL|HASH", help="A model's file, or the beginning of its hash.")],
    json: AsJson = False,
) -> None:
    """Show a model's card: what it learned from, and what it is worth."""
    from msgspec.json import encode

    from agents.models import told
    from console.environment import settings

    path = Path(which)
    if path.is_file():
        file = model_train.read(path)
    else:
        found = [one for one in told(settings()) if len(which) >= _LEAST_DIGITS and one.card.sha256.startswith(which)]
        if not found:
            raise CommandError(f"{which} is no file and no hash of a model", "`tierwatch model history` has them all.")
        file = found[-1]
    typer.echo(encode(file.card) if json else "\n".join(model_train.card_in_words(file)))


@app.command("propose")
def propose(
    file: Annotated[Path, typer.Argument(metavar="MODEL", help="The file that `model train` wrote.")],
    *,
    live: Annotated[bool, typer.Option("--live", help="Let it raise outcomes; without it, it is in shadow.")] = False,
    challenge: Annotated[int | None, typer.Option(help="From how many thousandths of probability on.")] = None,
    review: Annotated[int | None, typer.Option(help="The same for a review.")] = 500,
    hold: Annotated[int | None, typer.Option(help="The same for a hold.")] = None,
    key: KeyFile = None,
    reason: policy_life.Reason = "",
    yes: policy_life.Yes = False,
    json: AsJson = False,
) -> None:
    """Tell workers of a model, and propose the policy that names it: in shadow, unless it has been there."""
    from agents.models import tell
    from console.policies import read_yaml
    from console.policy_house import House
    from pipeline.policy.load import PolicyError
    from pipeline.policy.rewrite import with_section

    model = model_train.read(file)
    given = {"challenge": challenge, "review": review, "hold": hold}
    named = ", ".join(f"{name}: {since}" for name, since in given.items() if since is not None)
    mode = "live" if live else "shadow"
    section = f"learned:\n  mode: {mode}\n  model: {model.card.sha256}\n  outcomes: {{{named}}}\n"
    with House() as house:
        versions = house.book.versions
        known = house.topic.texts.get(versions.head.digest)
        base = read_yaml(house.settings.policy) if known is None else known.encode()
        try:
            text = with_section(base, "learned", section, versions.highest_version + 1)
        except PolicyError as error:
            hint = "Change the policy first: `tierwatch policy propose`."
            raise CommandError(str(error), hint, Exit.BAD_INPUT) from None
        if live and not _was_in_shadow(house.book.versions.history(), model):
            raise CommandError(
                f"{model.card.sha256[:12]}… was never in shadow", "Propose it without --live first, and look at it."
            )
        if not json:
            typer.echo("\n".join(model_train.card_in_words(model)))
        tell(house.settings, model)
        policy_life.propose_text(house, text, key=key, reason=reason, yes=yes, json=json)


@app.command("history")
def history(json: AsJson = False) -> None:
    """Show all models that workers know, and the versions of the policy that name them."""
    from msgspec.json import encode

    from agents.models import told
    from console.environment import settings
    from console.policy_house import House

    files = told(settings())
    with House() as house:
        named = [
            (since_ms, policy.version, policy.learned)
            for since_ms, policy in house.book.versions.history()
            if policy.learned is not None
        ]
    for file in files:
        asked = [
            {"from": format_ms(max(since_ms, 0)), "version": version, "mode": learned.mode}
            for since_ms, version, learned in named
            if learned.model == file.card.sha256
        ]
        if json:
            typer.echo(encode({"model": file.model, "sha256": file.card.sha256, "at": file.at, "asked": asked}))
            continue
        worth = f"ap {file.card.measured.get('ap')}"
        typer.echo(f"{file.at}  {file.model}  {file.card.sha256[:12]}…  by {file.actor}, {worth}")
        for each in asked:
            typer.echo(f"  from {each['from']} on {each['mode']}, by version {each['version']} of the policy")
    if not json:
        typer.echo(counted(len(files), "model"))


def _was_in_shadow(history: "Sequence[tuple[int, object]]", model: "ModelFile") -> bool:
    learned = [getattr(policy, "learned", None) for _, policy in history]
    return any(one is not None and one.model == model.card.sha256 and one.mode == "shadow" for one in learned)
