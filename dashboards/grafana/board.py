"""A board: rows of panels, what can be chosen at its top, and the way to the other boards."""

from collections.abc import Mapping, Sequence
from itertools import count

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from dashboards.grafana.panels import SOURCE, TAG, Panel

# Where the pages of dashboards/runbooks are read: docker-compose puts them where Grafana serves files.
RUNBOOKS = "/public/runbooks"
# The kit would hide links in a menu.
_BESIDE = ""
_ALL = models.VariableOption(text="All", value="$__all")


def board(uid: str, title: str, asks: str, content: Mapping[str, Sequence[Panel]]) -> dashboard.Dashboard:
    """Lay panels out in rows by their headings; `asks` are the questions that the board answers."""
    made = (
        dashboard.Dashboard(f"tierwatch: {title}")
        .uid(f"tierwatch-{uid}")
        .description(asks)
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Boards")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
            .placement(_BESIDE)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_choice("job", "Job", "label_values(tierwatch_build_info, job)"))
        .with_variable(_choice("instance", "Instance", 'label_values(tierwatch_build_info{job=~"$job"}, instance)'))
    )
    ids = count(1)
    for heading, panels in content.items():
        made = made.with_row(dashboard.Row(heading).id(next(ids)))
        for panel in panels:
            made = made.with_panel(panel.id(next(ids)))
    return made


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .current(_ALL)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
