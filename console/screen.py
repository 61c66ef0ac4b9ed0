"""What people see of the demo: alerts as they happen, how it stands, and the summary."""

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from load_tests.city.score import Score
from load_tests.ledger import Ledger
from schemas.decision import OUTCOMES, Alert, Signal

_FILE_WIDTH = 120
_SHOW_SECONDS = 0.2
_STYLES = {"pass": "green", "challenge": "yellow", "review": "dark_orange", "hold": "bold red"}


class Screen:
    """Writes to standard output; the line at the bottom that changes stands on terminals only."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self._console = Console(highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = _FILE_WIDTH
        self._bottom = Live(console=self._console, auto_refresh=False, transient=True)
        self._shown_at = 0.0

    def begin(self) -> None:
        """Show the line at the bottom from now on."""
        if self._console.is_terminal:
            self._bottom.start()

    def end(self) -> None:
        """Leave the terminal as it was."""
        self._bottom.stop()

    def say(self, text: str, style: str = "") -> None:
        """Say something to a person."""
        self._console.print(Text(text, style=style))

    def alert(self, alert: Alert) -> None:
        """Show one alert: who, at which tier, which rule, observed against allowed, and the truth about it."""
        live = [signal for signal in alert.signals if signal.mode == "live"]
        weightiest = max(range(len(live)), key=lambda index: live[index].points)
        line = Text(f"{alert.occurred_at[11:19]}Z  {alert.customer_id}  {alert.tier:<9}")
        line.append(f"{alert.outcome:<7}", _STYLES[alert.outcome])
        line.append(f"{live[weightiest].rule:<23}", "cyan")
        line.append(alert.reasons[weightiest])
        line.append(_beside(live), "dim")
        truth = self._score.truth(alert.transaction_id)
        line.append(f"  [{truth.trick}]" if truth else "  [honest]", "magenta" if truth else "dim")
        self._console.print(line)

    def standing(self, ledger: Ledger, note: str) -> None:
        """Show how it stands, in the line at the bottom."""
        if self._bottom.is_started and time.monotonic() > self._shown_at + _SHOW_SECONDS:
            self._shown_at = time.monotonic()
            counts = {
                "in": ledger.transactions,
                "decided": ledger.decisions,
                "twice": ledger.duplicates,
                "dead": ledger.dead,
                "alerts": ledger.alerts,
                "re-reviews": ledger.re_reviews,
            }
            text = "  ".join(f"{name} {count:,}" for name, count in counts.items())
            self._bottom.update(Text(f" {note}  {text} ", style="reverse"), refresh=True)

    def summary(self, ledger: Ledger, tiers: list[str]) -> None:
        """Show the tables at the end."""
        self._console.print(_decisions(ledger, tiers))
        self._console.print(_rules(self._score))
        self._console.print(_tricks(self._score))
        self._console.print(_life(ledger))
        if ledger.dead_letters:
            table = _table("Dead letters", "reason", "records")
            for reason, count in ledger.dead_letters.most_common():
                table.add_row(reason, f"{count:,}")
            self._console.print(table)


def _beside(live: list[Signal]) -> str:
    return f" (+{len(live) - 1} more)" if len(live) > 1 else ""


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _decisions(ledger: Ledger, tiers: list[str]) -> Table:
    table = _table("Decisions by tier and outcome", "tier", *OUTCOMES)
    for tier in tiers:
        table.add_row(tier, *(f"{ledger.verdicts[tier, outcome]:,}" for outcome in OUTCOMES))
    return table


def _rules(score: Score) -> Table:
    alerts, fraud = score.precision()
    table = _table("Alerts by rule (one alert may stand on several)", "rule", "alerts", "fraud", "precision")
    for rule, count, true in score.rules():
        table.add_row(rule, f"{count:,}", f"{true:,}", _share(true, count))
    table.add_section()
    table.add_row("all", f"{alerts:,}", f"{fraud:,}", _share(fraud, alerts))
    return table


def _tricks(score: Score) -> Table:
    table = _table(
        "Fraud by trick", "trick", "tries", "noticed", "alerted", "recall", "payments", "not passed", "share"
    )
    for row in score.tricks():
        table.add_row(
            row.trick,
            f"{row.episodes:,}",
            f"{row.challenged:,}",
            f"{row.alerted:,}",
            _share(row.alerted, row.episodes),
            f"{row.transactions:,}",
            f"{row.flagged:,}",
            _share(row.flagged, row.transactions),
        )
    return table


def _life(ledger: Ledger) -> Table:
    table = _table("Lives on the whitelist", "what happened", "times")
    for step, count in sorted(ledger.life.steps.items()):
        table.add_row(step, f"{count:,}")
    table.add_section()
    for why, count in sorted(ledger.life.requests.items()):
        table.add_row(f"somebody was asked: {why}", f"{count:,}")
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"
