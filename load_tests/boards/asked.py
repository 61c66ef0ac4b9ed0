"""What a board would ask of Prometheus, with everything chosen, and what it is told."""

from typing import Any

from load_tests.services.prometheus import Prometheus

# As wide as a panel in points: Grafana asks for no more of them.
_POINTS = 700


def step(begin_s: float, end_s: float, look_s: float) -> float:
    """Return the seconds between two points of a line; `look_s` is how often Prometheus looks."""
    return max(look_s, (end_s - begin_s) / _POINTS)


def asked(prometheus: Prometheus, board: dict[str, Any], begin_s: float, end_s: float, look_s: float) -> dict[str, Any]:
    """Return the results by panel and query; times are epoch seconds.

    A query is asked over the whole time, or of its end where the panel shows what is now.
    """
    step_s = step(begin_s, end_s, look_s)
    rate_s = max(4 * look_s, step_s + look_s)  # as Grafana has it

    def answer(target: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        query = target["expr"].replace("$__rate_interval", f"{rate_s:.0f}s")
        query = query.replace("$job", ".+").replace("$instance", ".+")
        if target.get("instant"):
            return prometheus.asked("query", query=query, time=str(end_s))
        return prometheus.asked("query_range", query=query, start=str(begin_s), end=str(end_s), step=f"{step_s:.3f}")

    return {
        panel["id"]: {target["refId"]: answer(target) for target in panel["targets"]}
        for panel in board["panels"]
        if panel["type"] != "row"
    }
