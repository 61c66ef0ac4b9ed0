"""Grafana's boards as tests read them: the committed files, and what Grafana puts in place of its variables."""

import json
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).parents[1] / "dashboards" / "grafana"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "boards").glob("*.json"))
}


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels that show something, headings left out."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def as_grafana_asks(query: str) -> str:
    """Return a query with everything chosen, and rates over as long as a look every second allows."""
    return query.replace("$__rate_interval", "15s").replace("$job", ".+").replace("$instance", ".+")
