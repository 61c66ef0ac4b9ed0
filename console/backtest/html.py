"""A backtest as one HTML file that needs nothing else: figures, plots as SVG, and the table of rules."""

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Final

from console.backtest.report import Line, Report, Side
from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import format_amount

_EPOCH: Final = date(1970, 1, 1).toordinal()
_NAMES: Final = ("new", "old")
_MOST_BARS: Final = 20
_WIDTH, _HEIGHT, _LEFT = 960, 220, 60
_STYLE: Final = """\
:root { color-scheme: light dark; --new: #1763b6; --old: #b0701a; --good: #2c7a3f; --bad: #b3261e; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --new: #7db4f5; --old: #e0a350; --good: #6fc483; --bad: #f28b82; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
td, th { text-align: right; font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left }
.rules td:nth-child(2), .rules th:nth-child(2) { text-align: left }
svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
.new { stroke: var(--new); fill: var(--new) } .old { stroke: var(--old); fill: var(--old) }
polyline { fill: none !important; stroke-width: 2 } .axis { stroke: var(--line) }
.fraud { fill: var(--good) } .other { fill: var(--bad) }
"""


def page(report: Report, files: Sequence[str]) -> str:
    """The whole page."""
    compared = len(report.sides) > 1
    title = "Backtest of " + " against ".join(f"{side.policy} version {side.version}" for side in report.sides)
    plots = [("Alerts by day", _by_day(report))]
    if compared:
        plots.append(("Alerts gained and lost, by rule", _by_rule(report.lines)))
    about = f"{report.transactions:,} transactions of {report.days:,.1f} days, {report.frauds:,} of them known frauds"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{about}: {escape(', '.join(files))}.</p>",
        _sides(report),
        *[f"<h2>{heading}</h2>{plot}" for heading, plot in plots],
        "<h2>By tier and rule</h2>",
        _rules(report.lines),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def share(value: float | None) -> str:
    """A share in words: a dash where no label tells."""
    return "-" if value is None else f"{value:.1%}"


def figures(side: Side, currency: str) -> dict[str, str]:
    """What is told of a policy, in words."""
    exponent = EXPONENTS[currency]
    return {
        "alerts": f"{side.alerts:,}",
        "alerts a day": f"{side.alerts_per_day:,.1f}",
        "alerts per analyst and day": f"{side.alerts_per_analyst_day:,.1f}",
        "step-ups asked for": f"{side.challenges:,}",
        "precision": share(side.precision),
        "recall": share(side.recall),
        "money caught": f"{format_amount(side.caught_minor, exponent)} {currency}",
        "money missed": f"{format_amount(side.missed_minor, exponent)} {currency}",
        "dead letters": f"{side.dead_letters:,}",
    }


def _sides(report: Report) -> str:
    told = [figures(side, report.currency) for side in report.sides]
    heads = "".join(
        f"<th>{name}: version {side.version}<br><small>{side.digest[:12]}</small></th>"
        for name, side in zip(_NAMES, report.sides, strict=False)
    )
    rows = "".join(
        f"<tr><td>{name}</td>{''.join(f'<td>{escape(each[name])}</td>' for each in told)}</tr>" for name in told[0]
    )
    return f"<table><tr><th></th>{heads}</tr>{rows}</table>"


def _by_day(report: Report) -> str:
    most = max([1, *[alerts for side in report.sides for alerts in side.daily]])
    days = len(report.sides[0].daily)
    step = (_WIDTH - _LEFT - 20) / max(days - 1, 1)
    parts = [_axis(most)]
    for name, side in reversed(list(zip(_NAMES, report.sides, strict=False))):
        points = " ".join(f"{_LEFT + day * step:.1f},{_y(alerts, most):.1f}" for day, alerts in enumerate(side.daily))
        parts.append(f'<polyline class="{name}" points="{points}"/>')
    for at, name in enumerate(_NAMES[: len(report.sides)]):
        parts.append(f'<rect class="{name}" x="{_WIDTH - 120 + at * 60}" y="4" width="10" height="10"/>')
        parts.append(f'<text x="{_WIDTH - 105 + at * 60}" y="14">{name}</text>')
    for day, anchor in {0: "start", days - 1: "end"}.items():
        when = date.fromordinal(_EPOCH + report.first_day + day).isoformat()
        parts.append(f'<text x="{_LEFT + day * step:.1f}" y="{_HEIGHT - 4}" text-anchor="{anchor}">{when}</text>')
    return _svg(_HEIGHT, "Alerts by day", parts)


def _by_rule(lines: Sequence[Line]) -> str:
    """To the right what is gained, to the left what is lost; frauds among it in green."""
    changed = [line for line in lines if line.gained or line.lost][:_MOST_BARS]
    if not changed:
        return "<p>No alert is gained or lost.</p>"
    most = max(max(line.gained, line.lost) for line in changed)
    middle, height = 580, 24 * len(changed) + 30
    scale = (_WIDTH - middle - 50) / most
    parts = [f'<line class="axis" x1="{middle}" x2="{middle}" y1="20" y2="{height}"/>']
    parts.append(
        f'<text x="{middle - 8}" y="14" text-anchor="end">lost</text><text x="{middle + 8}" y="14">gained</text>'
    )
    for at, line in enumerate(changed):
        y = 24 + at * 24
        parts.append(f'<text x="0" y="{y + 13}">{escape(f"{line.tier}: {line.rule}")}</text>')
        gained, lost = line.gained * scale, line.lost * scale
        parts += [
            _bar("other", middle, y, gained),
            _bar("fraud", middle, y, line.gained_frauds * scale),
            _bar("other", middle - lost, y, lost),
            _bar("fraud", middle - line.lost_frauds * scale, y, line.lost_frauds * scale),
        ]
        if line.gained:
            parts.append(f'<text x="{middle + gained + 6:.1f}" y="{y + 13}">{line.gained:,}</text>')
        if line.lost:
            parts.append(f'<text x="{middle - lost - 6:.1f}" y="{y + 13}" text-anchor="end">{line.lost:,}</text>')
    return _svg(height, "Alerts gained and lost", parts) + "<p>Green: known frauds. Red: all others.</p>"


def _rules(lines: Sequence[Line]) -> str:
    names = ("old", "new", "gained", "frauds gained", "lost", "frauds lost", "shadow")
    heads = "".join(f"<th>{name}</th>" for name in ("tier", "rule", *names))
    rows = "".join(
        f"<tr><td>{escape(line.tier)}</td><td>{escape(line.rule)}</td>"
        + "".join(f"<td>{number:,}</td>" for number in numbers(line))
        + "</tr>"
        for line in lines
    )
    return f'<table class="rules"><tr>{heads}</tr>{rows}</table>'


def numbers(line: Line) -> tuple[int, ...]:
    """The numbers of a line, in the order in which they are shown."""
    return line.old, line.new, line.gained, line.gained_frauds, line.lost, line.lost_frauds, line.shadow


def _axis(most: int) -> str:
    return "".join(
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{_y(value, most):.1f}" y2="{_y(value, most):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{_y(value, most) + 4:.1f}" text-anchor="end">{value:,}</text>'
        for value in sorted({0, most // 2, most})
    )


def _y(value: float, most: int) -> float:
    return _HEIGHT - 24 - value / most * (_HEIGHT - 54)


def _bar(kind: str, x: float, y: float, width: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="16"/>' if width else ""


def _svg(height: int, label: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
