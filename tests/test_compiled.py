"""The compiled pipeline does what the pure one does, byte for byte; and it runs only where it fits the sources.

`make test COMPILED=1 ARGS=tests/laws` holds the compiled pipeline to every law, too.
"""

import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from agents import compiled


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
