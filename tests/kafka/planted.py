"""`python -m tests.kafka.planted worker`: a worker with the defect that PLANTED names, for a judge to find."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.compiled import prefer

prefer()

from agents.app import App  # noqa: E402 - the compiled pipeline must be preferred before anything imports it
from agents.engine import positions  # noqa: E402
from agents.engine.journal import Journal  # noqa: E402
from agents.engine.pipeline import Pipeline  # noqa: E402
from agents.engine.positions import Positions  # noqa: E402
from agents.engine.rows import Rows  # noqa: E402
from console.main import main  # noqa: E402
from pipeline.customer import Changes  # noqa: E402

EVERY = 3


class Forgetful:
    """A pipeline that leaves customers' states out of every third commit."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._commits = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._pipeline, name)

    def changes(self) -> Changes:
        self._commits += 1
        changes = self._pipeline.changes()
        return changes if self._commits % EVERY else Changes({}, changes.dossiers)


def batch_without_its_state() -> None:
    """States do not come with what was decided on them."""
    new_pipeline = App._new_pipeline

    def planted(self: App, number: int, rows: Mapping[str, Rows]) -> Forgetful:
        return Forgetful(new_pipeline(self, number, rows))

    setattr(App, "_new_pipeline", planted)  # noqa: B010 - to the type checker it is no method of this class


def position_one_too_far() -> None:
    """The first to take partitions over goes on one record too late."""
    decode = positions.decode
    done = Path("taken-over")  # in the folder that the run's workers share

    def planted(value: bytes | None) -> Positions:
        found = decode(value)
        if "transactions" in found.next and (not done.exists() or done.read_text() == str(os.getpid())):
            done.write_text(str(os.getpid()))
            found.next["transactions"] += 1
        return found

    positions.decode = planted


def dropped_duplicate() -> None:
    """What was told before is dropped without a word."""
    took = Journal.took

    def planted(self: Journal, records: Sequence[Any], _: Sequence[int]) -> None:
        took(self, records, ())

    setattr(Journal, "took", planted)  # noqa: B010 - as above


if __name__ == "__main__":
    defects = (batch_without_its_state, position_one_too_far, dropped_duplicate)
    next(each for each in defects if each.__name__ == os.environ["PLANTED"])()
    main()
