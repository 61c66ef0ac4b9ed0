"""Grafana's boards as tests read them: the committed files, and what Grafana puts in place of its variables."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from load_tests.services.prometheus import Prometheus
from load_tests.services.wait import until

# What nobody counts where no policy names a model.
_OF_MODELS = re.compile(r"tierwatch_model_info|tierwatch_drift|learned")
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


def queries() -> set[str]:
    """Return the queries of all panels."""
    return {target["expr"] for board in BOARDS.values() for panel in panels(board) for target in panel["targets"]}


def of_models() -> set[str]:
    """Return the queries that only a house with a model can answer."""
    return {query for query in queries() if _OF_MODELS.search(query)}


def unanswered(prometheus: Prometheus, asked: set[str], seconds: float) -> set[str]:
    """Return the queries without an answer, or with one that is no number: the quantile of nothing is not."""
    left = set(asked)

    def all_have_answers() -> bool:
        for query in list(left):
            answers = prometheus.asked("query", query=as_grafana_asks(query))
            if answers and all(answer["value"][1] != "NaN" for answer in answers):
                left.remove(query)
        return not left

    with suppress(TimeoutError):
        until(all_have_answers, "an answer to each query", seconds=seconds)
    return left
