"""`tierwatch model train`: a model from a labelled file, on what workers know while judging, and what it is worth."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY, format_ms

if TYPE_CHECKING:
    from console.evaluate.stream import Stream
    from schemas.model_file import ModelFile

_BINS = 10
_HALF = 500


def train(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A labelled CSV, plain or gzipped, in the order of its times.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="Where the model is written, with its card.")],
    *,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="handbook, paysim, sparkov, or a mapping file.")
    ],
    name: Annotated[str, typer.Option(help="The model's name; its versions are told apart by their hashes.")] = "fraud",
    actor: Annotated[str, typer.Option(help="Who trained it: it stands in the audit.")] = "tierwatch",
    delay_days: Annotated[
        float, typer.Option(min=0, max=3650, help="Days after its transaction at which a label is known.")
    ] = 7,
) -> None:
    """Train a model on the labels that are known when the file ends, and say what it is worth.

    It sees what workers know while judging, no more. What it is worth is measured on the last third of what is known,
    by a model that has seen the rest only; the model that is written has seen all of it.
    """
    from console.evaluate.command import needs_lightgbm
    from console.evaluate.reading import read_rows
    from console.evaluate.stream import stream

    needs_lightgbm("leave it to a machine that has it: workers need none")
    streamed = stream(read_rows(file, format_), round(delay_days * MS_PER_DAY))
    trained = model_of(streamed, round(delay_days * MS_PER_DAY), name, actor)
    out.write_bytes(written(trained))
    for line in card_in_words(trained):
        typer.echo(line)
    typer.echo(f"Written: {out}. Next: `tierwatch model propose {out}`.", err=True)


def model_of(stream: "Stream", delay_ms: int, name: str, actor: str) -> "ModelFile":
    """A model of what is visible at the stream's end.

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

    known = np.nonzero((stream.label >= 0) & (stream.at_ms + delay_ms <= stream.at_ms[-1]))[0]
    first, last = known[: 2 * len(known) // 3], known[2 * len(known) // 3 :]
    # A label that was not known yet when the measured part began taught nobody then.
    first = first[stream.at_ms[first] + delay_ms <= stream.at_ms[last[0]]] if len(last) else first
    fraud = (stream.label == 1).astype(np.int8)

    try:
        tried, whole = (
            boost(stream.features[seen], fraud[seen], stream.at_ms[seen], stream.categories, sorted(ELSEWHERE))
            for seen in (first, known)
        )
    except ModelError as error:
        hint = "Give more, or a shorter --delay-days."
        raise CommandError(f"too little is known to train on: {error}", hint) from None
    if not fraud[last].any():
        raise CommandError("no fraud is known in the last third to measure on", "Give a longer file.")
    said = tried.thousandths(stream.features[last])
    worth = measure(tried.score(stream.features[last]), stream.label[last], stream.account[last], stream.at_ms[last])
    were = fraud[last] * float(WHOLE)
    bins = [(said >= low) & (said < low + WHOLE // _BINS) for low in range(0, WHOLE, WHOLE // _BINS)]
    rows = stream.features[known]
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
        # A labelled file knows no tiers: everybody in it is a customer of the base tier.
        false_alarms={"base": round(float(((said >= _HALF) & (fraud[last] == 0)).mean() * WHOLE), 3)},
    )
    return ModelFile(model=name, actor=actor, at=format_ms(int(time.time() * 1000)), card=card, text=whole.text)


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
