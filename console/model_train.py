"""`tierwatch model train`: a model from the log or a labelled file, on what workers know, and what it is worth."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY, format_ms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from console.evaluate.stream import Stream
    from console.model_log import Known
    from schemas.model_file import ModelFile

_BINS = 10
_HALF = 500


def train(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES...]", help="The log as `replay` reads it, or with --format a labelled CSV; else Kafka's."
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="Where the model is written, with its card.")],
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="handbook, paysim, sparkov, or a mapping file.")
    ] = "",
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of a log, the house's first policy. [default: TIERWATCH_POLICY]"),
    ] = None,
    genuine_after_days: Annotated[
        float | None,
        typer.Option(min=0, help="Of a log, payments that nobody has labelled for so long count as genuine."),
    ] = None,
    name: Annotated[str, typer.Option(help="The model's name; its versions are told apart by their hashes.")] = "fraud",
    actor: Annotated[str, typer.Option(help="Who trained it: it stands in the audit.")] = "tierwatch",
    delay_days: Annotated[
        float, typer.Option(min=0, max=3650, help="Of a CSV, days after its transaction at which a label is known.")
    ] = 7,
) -> None:
    """Train a model on the labels that are known when the log or the file ends, and say what it is worth.

    The log is judged again, and the model sees the very features that workers saw; of a CSV it sees those that they
    would. What it is worth is measured on the last third of what is known, by a model that has seen the rest only; the
    model that is written has seen all of it.
    """
    from console.evaluate.command import needs_lightgbm

    needs_lightgbm("leave it to a machine that has it: workers need none")
    known = _known(files or [], format_, policy, delay_days, genuine_after_days)
    trained = model_of(known, name, actor)
    out.write_bytes(written(trained))
    for line in card_in_words(trained):
        typer.echo(line)
    typer.echo(f"Written: {out}. Next: `tierwatch model propose {out}`.", err=True)


def _known(
    files: list[str], format_: str, policy: Path | None, delay_days: float, genuine_after_days: float | None
) -> "Known":
    from console.environment import settings
    from console.model_log import from_files, from_kafka
    from console.policies import read_policy

    if format_:
        if len(files) != 1:
            raise CommandError("--format is of one CSV", "Give its file, or leave --format out.", Exit.SETTINGS)
        return of_csv(files[0], format_, round(delay_days * MS_PER_DAY))
    genuine_after_ms = None if genuine_after_days is None else round(genuine_after_days * MS_PER_DAY)
    first = read_policy(policy or settings().policy)
    return from_files(files, first, genuine_after_ms) if files else from_kafka(first, genuine_after_ms)


def of_csv(file: str, format_: str, delay_ms: int) -> "Known":
    """The payments of a labelled CSV, each label known after its delay."""
    from console.evaluate.reading import read_rows
    from console.evaluate.stream import stream

    return known_after(stream(read_rows(file, format_), delay_ms), delay_ms)


def known_after(stream: "Stream", delay_ms: int) -> "Known":
    """Payments whose labels are known so long after them."""
    from console.model_log import Known

    return Known(stream, stream.at_ms + delay_ms, int(stream.at_ms[-1]))


def model_of(known: "Known", name: str, actor: str) -> "ModelFile":
    """A model of what is known at the end.

    Raises:
        CommandError: too little is known to train on, or to measure on.

    """
    import numpy as np
    from msgspec.structs import replace

    from console.evaluate.metrics import measure
    from pipeline.behaviour.features import ELSEWHERE, INDEX
    from pipeline.learned.boosted import train as boost
    from pipeline.learned.drift import sliced
    from pipeline.learned.model import SCORE, WHOLE, ModelError
    from schemas.model_file import Calibration, ModelFile

    stream = known.stream
    seen = np.nonzero((stream.label >= 0) & (known.known_ms <= known.until_ms))[0]
    first, last = seen[: 2 * len(seen) // 3], seen[2 * len(seen) // 3 :]
    # A label that was not known yet when the measured part began taught nobody then.
    first = first[known.known_ms[first] <= stream.at_ms[last[0]]] if len(last) else first
    fraud = (stream.label == 1).astype(np.int8)

    try:
        tried, whole = (
            boost(stream.features[some], fraud[some], stream.at_ms[some], stream.categories, sorted(ELSEWHERE))
            for some in (first, seen)
        )
    except ModelError as error:
        hint = "Give more, or a shorter --delay-days; of a log, --genuine-after-days."
        raise CommandError(f"too little is known to train on: {error}", hint) from None
    if not fraud[last].any():
        raise CommandError("no fraud is known in the last third to measure on", "Give a longer log or file.")
    said = tried.thousandths(stream.features[last])
    worth = measure(tried.score(stream.features[last]), stream.label[last], stream.account[last], stream.at_ms[last])
    were = fraud[last] * float(WHOLE)
    bins = [(said >= low) & (said < low + WHOLE // _BINS) for low in range(0, WHOLE, WHOLE // _BINS)]
    rows = stream.features[seen]
    slices = {name: sliced(rows[:, INDEX[name]].astype(np.float64)) for name in whole.card.features}
    card = replace(
        whole.card,
        slices={**slices, SCORE: sliced(said.astype(np.float64))},
        measured={name: round(value, 4) for name, value in worth._asdict().items()},
        calibration=tuple(
            Calibration(round(float(said[one].mean()), 1), round(float(were[one].mean()), 1), int(one.sum()))
            for one in bins
            if one.any()
        ),
        false_alarms=_by_tier((said >= _HALF) & (fraud[last] == 0), None if known.tiers is None else known.tiers[last]),
    )
    return ModelFile(model=name, actor=actor, at=format_ms(int(time.time() * 1000)), card=card, text=whole.text)


def _by_tier(alarms: "npt.NDArray[np.bool_]", tiers: "npt.NDArray[np.str_] | None") -> dict[str, float]:
    """How many of a thousand payments of each tier; a labelled file knows no tiers, so all in it are of the base."""
    import numpy as np

    from pipeline.learned.model import WHOLE

    if tiers is None:
        return {"base": round(float(alarms.mean()) * WHOLE, 3)}
    return {str(tier): round(float(alarms[tiers == tier].mean()) * WHOLE, 3) for tier in np.unique(tiers)}


def written(file: "ModelFile") -> bytes:
    """A model as a file: the very bytes that workers are told."""
    from schemas.codec import encode

    return encode(file)


def read(path: Path) -> "ModelFile":
    """A model from a file.

    Raises:
        CommandError: it cannot be read, or is no model that workers would take.

    """
    from pipeline.learned.models import Models
    from schemas.codec import Undecodable, decode_model_file

    try:
        file = decode_model_file(path.read_bytes()).message
        Models().apply(file)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", "Give the file that `tierwatch model train` wrote.") from None
    except (Undecodable, ValueError) as error:
        raise CommandError(
            f"{path}: {error}", "Give the file that `tierwatch model train` wrote.", Exit.BAD_INPUT
        ) from None
    return file


def card_in_words(file: "ModelFile") -> list[str]:
    """What a model is, for those who are to sign for it."""
    card = file.card
    when = f"from {format_ms(card.first_ms)} to {format_ms(card.last_ms)}"
    lines = [
        f"{file.model}, SHA-256 {card.sha256}, by {file.actor} at {file.at}",
        f"  learned from {card.payments:,} payments, {card.frauds:,} of them fraud, {when}",
        f"  {card.trees} trees of {card.leaves} leaves on {len(card.features)} features: {', '.join(card.features)}",
    ]
    if card.measured:
        lines.append(f"  on its last third: {', '.join(f'{name} {value}' for name, value in card.measured.items())}")
    lines += [
        f"  said {each.said} in 1,000, were {each.were} (of {each.payments:,} payments)" for each in card.calibration
    ]
    alarms = "false alarms in 1,000 payments, from 500 on"
    return lines + [f"  tier {tier}: {per} {alarms}" for tier, per in card.false_alarms.items()]
