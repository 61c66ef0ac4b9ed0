"""`python -m tests.stories.tell [STORY…]`: tell what comes of stories anew, all of them unless named.

Read what changed before you commit it: `then.jsonl` is the whole output, so a change that nobody meant stands there.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from console.record_lines import write_line
from console.replay import replay
from pipeline.policy.load import load_policy
from pipeline.record import Message

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def stories() -> list[Path]:
    return sorted(path.parent for path in SCENARIOS.glob("*/given.jsonl"))


def told(story: Path) -> Iterator[Message]:
    """Yield everything that the pipeline publishes for a story, in order."""
    policy = load_policy((story / "policy.yaml").read_bytes())
    return replay((story / "given.jsonl").read_bytes().splitlines(), policy)


if __name__ == "__main__":
    for path in [SCENARIOS / name for name in sys.argv[1:]] or stories():
        (path / "then.jsonl").write_bytes(b"".join(map(write_line, told(path))))
