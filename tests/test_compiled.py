"""The compiled pipeline does what the pure one does, byte for byte; and it runs only where it fits the sources.

`make test COMPILED=1 ARGS=tests/laws` holds the compiled pipeline to every law, too.
"""

import pickle
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from agents import compiled
from load_tests.alone import Alone
from load_tests.month import Month


def judged(folder: Path, out: Path) -> dict[str, Any]:
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from tests.judged import main; main()"
    subprocess.run([sys.executable, "-c", program, str(out)], cwd=compiled.ROOT, check=True)
    done: dict[str, Any] = pickle.loads(out.read_bytes())  # noqa: S301 - our own
    return done


def test_the_compiled_pipeline_says_and_keeps_the_same_bytes(compiled_pipeline: Path, tmp_path: Path) -> None:
    fast = judged(compiled_pipeline, tmp_path / "compiled")
    pure = judged(compiled.ROOT, tmp_path / "pure")
    assert (fast.pop("compiled"), pure.pop("compiled")) == (True, False)
    differing = [pair for pair in zip(fast["said"], pure["said"], strict=False) if pair[0] != pair[1]]
    assert differing[:1] == []
    assert fast == pure
    # Of every kind there was something to be compared.
    topics = Counter(topic for topic, *_ in pure["said"])
    assert min(topics[each] for each in ("alerts", "re-reviews", "entitlements", "windows", "dossiers")) > 20
    names = {name[:2] for name, _ in pure["counted"]}
    reasons = {name[1] for name in names if name[0] == "dead_letters"}
    assert reasons >= {"too_late", "from_the_future", "card_number", "no_rate", "conflicting_duplicate", "not_json"}
    assert {("duplicates", "standard"), ("reversals", "applied"), ("unknown_fields", "transactions")} <= names


def test_whatever_every_payment_passes_through_is_among_what_is_compiled() -> None:
    month = Month(6_000, 1)
    alone = Alone(month.policy)
    alone.take(list(month.grants()))
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls[frame.f_code.co_filename] += 1

    payments = list(month.payments())
    sys.setprofile(note)
    try:
        alone.take(payments)
    finally:
        sys.setprofile(None)
    often = {Path(name) for name, count in calls.items() if 2 * count > len(payments)}
    ours = {str(path.relative_to(compiled.ROOT)) for path in often if path.is_relative_to(compiled.ROOT)}
    hot = set(re.findall(r'"((?:pipeline|schemas)/\S+\.py)"', (compiled.ROOT / "setup.py").read_text()))
    assert {name for name in ours if name.startswith(("pipeline/", "schemas/"))} - hot == set()
    assert len(ours & hot) > 20


def test_what_was_made_from_other_sources_is_not_used_and_whoever_wants_speed_is_told(tmp_path: Path) -> None:
    folder = tmp_path / ".compiled"
    folder.mkdir()
    (folder / "DIGEST").write_text("of other sources")
    begin = f"import pathlib, agents.compiled as c; folder = pathlib.Path({str(folder)!r}); c.prefer(folder)"
    program = f"{begin}; print(c.is_compiled(), c.how_to(folder), c.how_to(folder / 'none'))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=compiled.ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False make compile: .compiled is of other sources docs/performance.md\n"
    assert done.stderr == ""
