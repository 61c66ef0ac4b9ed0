"""`tierwatch evaluate`: the command line of it. `docs/detection.md` has the results."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY

if TYPE_CHECKING:
    from console.evaluate.judge import Judged
    from console.evaluate.stream import Stream
    from console.evaluate.trials import Trial


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A labelled CSV, plain or gzipped, in the order of its times.")
    ],
    *,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="handbook, paysim, sparkov, or a mapping file.")
    ],
    protocol: Annotated[
        Literal["A", "B"] | None, typer.Option(help="The Handbook's: one fold (A), or the mean of four (B).")
    ] = None,
    folds: Annotated[
        str,
        typer.Option(metavar="DATES", help="Starts of training, commas between: a week of it, of delay, and of test."),
    ] = "",
    split: Annotated[
        str, typer.Option(metavar="WHERE", help="rows=0.67, time=0.67 or a date: before it known, after it tested.")
    ] = "",
    train: Annotated[
        Literal["history", "week"], typer.Option(help="Learn from all that is visible by then, or from one week.")
    ] = "history",
    delay_days: Annotated[
        float, typer.Option(min=0, max=3650, help="Days after its transaction at which a label is known.")
    ] = 7,
    mode: Annotated[Literal["rules", "learned", "both"], typer.Option(help="Points, boosting, or both.")] = "both",
    online: Annotated[
        bool, typer.Option("--online", help="Points count on, from the first payment, as labels become known.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP", help="Leave out a group of features; may be given several times."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="What to begin with. [default: TIERWATCH_POLICY]")
    ] = None,
    policy_out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the policy with the last fold's points there, YAML.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, on the last line.")] = False,
) -> None:
    """Measure detection on a labelled file, judged as it would have been at the time.

    The file is streamed once; a label is known only after its delay. Points are calibrated and the model is trained on
    what was visible before the test. Names are hashed and balances dropped as `ingest` does; only the sender is scored.
    """
    from msgspec.json import encode

    from console.evaluate.judge import judge
    from console.evaluate.online import score_online
    from console.evaluate.reading import read_rows
    from console.evaluate.stream import stream
    from console.evaluate.trials import everything
    from console.terminal import counted

    features = features_of(without or [])
    modes = ("rules", "learned") if mode == "both" else (mode,)
    _check(modes, protocol, folds, split)
    if online and "rules" not in modes:
        raise CommandError("--online is about points", "Give it with --mode rules or both.", Exit.SETTINGS)
    delay_ms = round(delay_days * MS_PER_DAY)
    began = time.monotonic()
    streamed = stream(read_rows(file, format_), delay_ms)
    seconds = time.monotonic() - began
    counting = score_online(streamed, delay_ms, features) if online else None
    if counting is not None:
        whole = judge(streamed, everything(streamed), ["rules"], features, counting)
        typer.echo(f"from the first payment on, nothing known: {_told(whole.measured)}", err=True)
    judged = []
    for trial in _trials(streamed, protocol, folds, split, delay_ms, week=train == "week"):
        judged.append(judge(streamed, trial, modes, features, counting))
        typer.echo(f"{trial.name}: {_told(judged[-1].measured)}", err=True)
    if policy_out is not None:
        policy_out.write_bytes(_policy_with(policy, judged[-1], streamed.categories))
        typer.echo(f"Written: {policy_out}. Look at it, then `tierwatch policy propose {policy_out}`.", err=True)
    said: dict[str, Any] = {name: mean_of([each.measured[name] for each in judged]) for name in modes}
    payments = len(streamed.at_ms)
    typer.echo(f"{counted(payments, 'payment')} in {seconds:.1f} s; {_told(said)}", err=json)
    if json:
        said |= {"folds": [each.measured for each in judged], "transactions_per_s": round(payments / seconds)}
        typer.echo(encode(said))


def features_of(groups: Collection[str]) -> frozenset[str]:
    """The features of these groups; `population` and `elsewhere` are made of several.

    Raises:
        CommandError: there is no such group.

    """
    from pipeline.behaviour.features import ELSEWHERE, GROUPS, POPULATION

    population = [feature for group in POPULATION for feature in GROUPS[group]]
    known: dict[str, Collection[str]] = {**GROUPS, "population": population, "elsewhere": ELSEWHERE}
    for group in groups:
        if group not in known:
            raise CommandError(f"--without {group}: no such group", f"There are {', '.join(known)}.", Exit.SETTINGS)
    return frozenset([feature for group in groups for feature in known[group]])


def _check(modes: tuple[str, ...], protocol: str | None, folds: str, split: str) -> None:
    if sum(map(bool, (protocol, folds, split))) != 1:
        raise CommandError(
            "what is trained on and what is tested?", "Give one of --protocol, --folds and --split.", Exit.SETTINGS
        )
    if "learned" in modes:
        needs_lightgbm("--mode rules")


def needs_lightgbm(otherwise: str) -> None:
    """See whether it is there at all, before minutes are spent.

    Raises:
        CommandError: it is not.

    """
    try:
        import lightgbm  # noqa: F401 - looked for only
    except (ImportError, OSError) as error:
        raise CommandError(
            f"learning needs LightGBM ({error})", f"pip install 'tierwatch[learned]', or {otherwise}.", Exit.SETTINGS
        ) from error


def _trials(
    streamed: "Stream", protocol: str | None, dates: str, where: str, delay_ms: int, *, week: bool
) -> "list[Trial]":
    from console.evaluate.trials import PROTOCOLS, folds, split

    if where:
        return [split(streamed, where, delay_ms, week=week)]
    starts = PROTOCOLS[protocol] if protocol else dates.split(",")
    return folds(streamed, starts, delay_ms, week=week)


def mean_of(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of what was measured; of what was fitted, the most."""
    means = {name: round(sum(each[name] for each in measured) / len(measured), 4) for name in ("auc", "ap", "cp100")}
    return means | {name: max(each[name] for each in measured) for name in ("fitted", "trees") if name in measured[0]}


def _policy_with(path: Path | None, judged: "Judged", categories: tuple[str, ...]) -> bytes:
    from console.environment import settings
    from console.policies import read_policy, read_yaml
    from pipeline.points.section import section_of
    from pipeline.policy.rewrite import with_section

    path = path or settings().policy
    section = section_of(judged.points, categories, judged.base)
    return with_section(read_yaml(path), "points", section, read_policy(path).version + 1)


def _told(measured: dict[str, Any]) -> str:
    return "; ".join(
        f"{mode}: AUC {values['auc']:.3f}, AP {values['ap']:.3f}, CP@100 {values['cp100']:.3f}"
        + (f", {values['fitted']} numbers fitted" if "fitted" in values else "")
        for mode, values in measured.items()
    )
