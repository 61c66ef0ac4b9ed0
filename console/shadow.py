"""`tierwatch shadow`: a policy judged on live traffic, of which nobody hears but who asked."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.backtest.report import Report

_TOLD_EVERY_S = 60


def command(
    policy: Annotated[Path, typer.Option("--policy", metavar="NEW", help="The policy that is asked about, YAML.")],
    *,
    minutes: Annotated[
        float, typer.Option(min=0, help="How long to follow what comes; 0 is what stands there now.")
    ] = 0,
    analysts: Annotated[int, typer.Option(min=1, help="How many people look at alerts each day.")] = 1,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report there, one HTML page.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the counters as JSON, a line a minute, the last the report's.")
    ] = False,
) -> None:
    """Judge live traffic under a policy, in shadow: only this command's counters and report know of it.

    What stands on the topics comes first, then what arrives. Compared is what the workers really said.
    Transactions that only one of both has decided yet are left out. Workers are not slowed down.
    """
    from msgspec.json import encode

    from console.backtest.command import tell
    from console.backtest.html import page
    from console.backtest.live import Shadow
    from console.backtest.report import report
    from console.environment import settings
    from console.policies import read_policy

    new, in_force = read_policy(policy), read_policy(settings().policy)

    def told() -> "Report":
        return report(shadow.judged, [new, in_force], analysts)

    with Shadow(settings(), new) as shadow:
        end = time.monotonic() + 60 * minutes
        shadow.catch_up()
        next_s = time.monotonic()
        while time.monotonic() < end:
            if time.monotonic() >= next_s:
                _count(told(), json=json)
                next_s += _TOLD_EVERY_S
            shadow.follow()
        last = told()
    if html is not None:
        html.write_text(page(last, ["live traffic"]), encoding="utf-8")
        typer.echo(f"Written: {html}.", err=True)
    tell(last, to_stderr=json)
    if json:
        typer.echo(encode({"report": last}))


def _count(report: "Report", *, json: bool) -> None:
    from msgspec.json import encode

    counters = {
        "transactions": report.transactions,
        "alerts": report.sides[0].alerts,
        "alerts_in_force": report.sides[1].alerts,
        "challenges": report.sides[0].challenges,
        "dead_letters": report.sides[0].dead_letters,
    }
    typer.echo(encode(counters) if json else ", ".join(f"{name} {number:,}" for name, number in counters.items()))
