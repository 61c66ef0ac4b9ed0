"""`python -m console.evaluate.page FOLDER [WORDS]`: measure again what stands in docs/detection.md.

FOLDER holds the files. Only rows that contain all WORDS are measured; the others stay as they are.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, NamedTuple

import numpy as np

from console.evaluate.command import features_of, mean_of
from console.evaluate.judge import Judged, judge
from console.evaluate.metrics import Floats, interval, resampled
from console.evaluate.online import score_online
from console.evaluate.reading import read_rows
from console.evaluate.stream import Stream, stream
from console.evaluate.trials import PROTOCOLS, Trial, everything, folds, split
from load_tests.cards import write
from load_tests.shifted import shifted
from schemas.timestamps import MS_PER_DAY

PAGE: Final = Path(__file__).parents[2] / "docs" / "detection.md"
_TABLE: Final = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)
_MODES: Final = ("rules", "learned")


class Setup(NamedTuple):
    """A row: the format, what is tested, days of delay, what is learned from, what is left out.

    With a seed the file is another one: cards made anew with other constants, or a copy with other names and amounts.
    """

    format_: str
    where: str
    delay_days: int
    learned_from: Literal["history", "one week", "each day"] = "history"
    without: str = ""
    seed: int = 0

    @property
    def title(self) -> str:
        """The first cells of the row."""
        other = f" of seed {self.seed}" if self.seed else ""
        return f"| {self.format_}{other}, {self.where} | {self.learned_from} | {self.without or '-'} |"


# Cards of a file that is made anew.
_CARDS: Final = 1_500
# Tested from the first payment on, with nothing known.
_ALL: Final = "all"
SETUPS: Final = (
    Setup("handbook", "A", 7),
    Setup("handbook", "A", 7, "one week"),
    *[Setup("handbook", "A", 7, without=group) for group in ("terminals", "spikes", "amounts", "own-amounts")],
    Setup("handbook", "B", 7),
    Setup("handbook", "B", 7, without="elsewhere"),
    Setup("handbook", "B", 7, "one week"),
    Setup("handbook", "B", 7, "each day"),
    Setup("handbook", _ALL, 7, "each day"),
    *[
        Setup("sparkov", "time=0.67", 7, without=group)
        for group in ("", "elsewhere", "memory", "hours", "category", "population")
    ],
    Setup("sparkov", "time=0.67", 7, "each day"),
    Setup("sparkov", _ALL, 7, "each day"),
    *[Setup("paysim", "rows=0.67", 1, without=group) for group in ("", "elsewhere", "first-seen")],
    Setup("paysim", "rows=0.67", 1, "each day"),
    Setup("paysim", _ALL, 1, "each day"),
    *[Setup("handbook", "B", 7, seed=seed) for seed in (11, 12, 13, 14)],
    *[Setup("sparkov", "time=0.67", 7, seed=seed) for seed in (11, 12)],
    *[Setup("paysim", "rows=0.67", 1, seed=seed) for seed in (11, 12)],
)


def measure(folder: Path, words: list[str], streamed: Callable[[Path, Setup], Stream]) -> Iterator[tuple[Setup, str]]:
    """The rows, each as soon as it is measured; a file is streamed once."""
    last: tuple[tuple[str, int], Stream] | None = None
    for setup in SETUPS:
        if not all(word in setup.title for word in words):
            continue
        if last is None or last[0] != (setup.format_, setup.seed):
            last = (setup.format_, setup.seed), streamed(folder / f"{setup.format_}.csv.gz", setup)
        yield setup, _row(setup, last[1])


def _streamed(file: Path, setup: Setup) -> Stream:
    with TemporaryDirectory() as folder:
        if setup.seed:
            file = _other(file, Path(folder) / file.name, setup)
        return stream(read_rows(str(file), setup.format_), setup.delay_days * MS_PER_DAY)


def _other(file: Path, target: Path, setup: Setup) -> Path:
    if setup.format_ == "handbook":
        write(target, _CARDS, setup.seed)
    else:
        shifted(file, target, setup.format_, setup.seed / 3, setup.seed)
    return target


def _row(setup: Setup, streamed: Stream) -> str:
    delay_ms = setup.delay_days * MS_PER_DAY
    without = features_of([setup.without] if setup.without else [])
    online = score_online(streamed, delay_ms, without) if setup.learned_from == "each day" else None
    modes = _MODES[:1] if online else _MODES
    trials = _trials(setup, streamed, delay_ms)
    judged = [judge(streamed, trial, modes, without, online) for trial in trials]
    cells = [_cells(mode, judged, trials, streamed) for mode in modes]
    return f"{setup.title} {' | '.join([*cells, *['- | - | -'] * (len(_MODES) - len(modes))])} |"


def _trials(setup: Setup, streamed: Stream, delay_ms: int) -> list[Trial]:
    week = setup.learned_from == "one week"
    if setup.where == _ALL:
        return [everything(streamed)]
    if setup.where in PROTOCOLS:
        return folds(streamed, PROTOCOLS[setup.where], delay_ms, week=week)
    return [split(streamed, setup.where, delay_ms, week=week)]


def _cells(mode: str, judged: list[Judged], trials: list[Trial], streamed: Stream) -> str:
    means = mean_of([each.measured[mode] for each in judged])
    drawn: list[Floats] = [
        resampled(each.scores[mode], streamed.label[trial.tested], streamed.account[trial.tested])
        for each, trial in zip(judged, trials, strict=True)
    ]
    low, high = interval(np.mean(drawn, axis=0))
    fitted = f" | {means['fitted']}" if "fitted" in means else ""
    return f"{means['auc']:.3f} | {means['ap']:.3f} ({low:.3f}-{high:.3f}) | {means['cp100']:.3f}{fitted}"


def put(text: str, setup: Setup, row: str) -> str:
    """The page with a row measured anew, in the order of the set-ups."""
    found = _TABLE.search(text)
    if found is None:
        raise ValueError(f"{PAGE.name} has no place for what is measured")
    head, rows = found.group().splitlines()[:2], found.group().splitlines()[2:]
    known = {each.title: line for each in SETUPS for line in rows if line.startswith(each.title)}
    known[setup.title] = row
    lines = [*head, *[known[each.title] for each in SETUPS if each.title in known]]
    return text[: found.start()] + "\n".join([*lines, ""]) + text[found.end() :]


def main(arguments: list[str], page: Path = PAGE, streamed: Callable[[Path, Setup], Stream] = _streamed) -> None:
    """Measure, and write each row as soon as it is known."""
    for setup, row in measure(Path(arguments[0]), arguments[1:], streamed):
        print(row, file=sys.stderr, flush=True)
        page.write_text(put(page.read_text(encoding="utf-8"), setup, row), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    main(sys.argv[1:])
