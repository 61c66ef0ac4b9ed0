"""What boards are made of: panels and boards in the words that boards use, on top of Grafana's Foundation SDK.

dashboard-linter's conventions are kept here, once: a data source, a job and an instance to choose; every query of a
worker's metric narrowed to them; rates over `$__rate_interval`; nothing that can be edited in the browser.
"""

import re
from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

TAG = "tierwatch"
SOURCE = common.DataSourceRef(type_val="prometheus", uid="$datasource")
_CHOSEN = 'job=~"$job", instance=~"$instance"'
# Series as workers serve them: what rules record has lost its instance, and pagers are another job.
_RAW = re.compile(r"(?<![\w:])((?:tierwatch_(?!pager_)|process_)\w+|up)\b(?:\{([^}]*)\})?")

Panel = stat.Panel | timeseries.Panel | table.Panel
Colours = Sequence[tuple[float | None, str]]
PLAIN: Colours = ((None, "green"),)


def chosen(query: str) -> str:
    """Narrow every raw series of a query to the job and the instances chosen at the top of the board."""
    return _RAW.sub(lambda found: f"{found[1]}{{{', '.join(filter(None, (found[2], _CHOSEN)))}}}", query)


def number(  # noqa: PLR0917 - what a number has
    title: str,
    why: str,
    query: str,
    unit: str = "short",
    colours: Colours = PLAIN,
    width: int = 4,
    words: Mapping[int, str] | None = None,
) -> Panel:
    """One number, coloured from each threshold on. `why` says what it is and when it matters; `words` stand for it."""
    texts = {str(value): models.ValueMappingResult(text=text) for value, text in (words or {}).items()}
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .span(width)
        .height(4)
        .unit(unit)
        .thresholds(_thresholds(colours))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .mappings([models.ValueMap(texts)] if texts else [])
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target("A", query, "").instant())
    )


def words(title: str, why: str, query: str, legend: str, width: int = 4) -> Panel:
    """The label values of what a query finds, as text."""
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .span(width)
        .height(4)
        .unit("short")
        .thresholds(_thresholds(PLAIN))
        .text_mode(common.BigValueTextMode.NAME)
        .color_mode(common.BigValueColorMode.NONE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target("A", query, legend).instant())
    )


def lines(
    title: str, why: str, unit: str, queries: Mapping[str, str], width: int = 12, alarming: float | None = None
) -> Panel:
    """Curves over time: `queries` by their legends; a dashed line where it becomes `alarming`."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .span(width)
        .height(8)
        .unit(unit)
        .min(0)
        .fill_opacity(10)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.RIGHT)
            .calcs(["lastNotNull", "max"])
        )
    )
    for ref, (legend, query) in zip("ABCDEF", queries.items(), strict=False):
        panel = panel.with_target(_target(ref, query, legend).range())
    if alarming is not None:
        dashed = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_thresholds(((None, "green"), (alarming, "red")))).thresholds_style(dashed)
    return panel


def busy(label: str, query: str) -> str:
    """What of a query is above zero; where nothing is, one line at zero that says so."""
    return f'{query} > 0 or on () label_replace(vector(0), "{label}", "nothing", "", "")'


def rows(  # noqa: PLR0917 - what a table has
    title: str,
    why: str,
    query: str,
    columns: Mapping[str, str],
    hidden: Sequence[str],
    links: Mapping[str, str],
    width: int = 24,
) -> Panel:
    """What a query finds now, one series a row; `columns` are labels' headings, `links` by titles lead on from each."""
    leave_out = models.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(["Time", "Value", "__name__", *hidden], True),
            "renameByName": dict(columns),
            "indexByName": {label: place for place, label in enumerate(columns)},
        },
    )
    return (
        table.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .span(width)
        .height(7)
        .unit("short")
        .with_target(_target("A", query, "").instant().format(PromQueryFormat.TABLE))
        .with_transformation(leave_out)
        .data_links([dashboard.DashboardLink(name).url(url).target_blank(True) for name, url in links.items()])
    )


def _target(ref: str, query: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(ref).datasource(SOURCE).expr(chosen(query)).legend_format(legend)


def _thresholds(colours: Colours) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(value=value, color=colour) for value, colour in colours]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
