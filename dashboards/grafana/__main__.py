"""`python -m dashboards.grafana [--check]`: write the boards that Grafana loads."""

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from console.generated import keep_current
from dashboards.grafana import engine, fraud, now, policy, slo, whitelist

FOLDER = Path(__file__).parent / "boards"
# In the order in which somebody who is woken looks at them.
BOARDS = {each.__name__.rpartition(".")[2]: each.BOARD for each in (now, fraud, whitelist, engine, policy, slo)}


def files() -> dict[Path, str]:
    """Return each board's file."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {FOLDER / f"{name}.json": encoder.encode(board.build()) + "\n" for name, board in BOARDS.items()}


def main() -> int:
    """Write the files, or with `--check` return 1 where one is not current."""
    return max(keep_current(path, text, "dashboards.grafana") for path, text in files().items())


if __name__ == "__main__":
    sys.exit(main())
