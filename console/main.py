"""`tierwatch`: the table of its commands, and how each of them ends."""

import os
import sys
from importlib.metadata import version as installed_version
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from agents.exit_codes import Exit
from console import (
    alerts,
    attestation,
    audit,
    cases,
    customer_profile,
    demo,
    dlq,
    doctor,
    explain,
    ingest,
    lists,
    model,
    pager,
    policy,
    replay,
    shadow,
    simulate,
    status,
    suspend,
    topics,
    verify,
    whitelist,
    worker,
)
from console.backtest import command as backtest
from console.errors import CommandError
from console.evaluate import command as evaluate
from console.exit_codes import INTERRUPTED, OUTPUT_CLOSED


class _Commands(TyperGroup):
    """Whatever ends a command early becomes one clear line and an exit code; a traceback only with `--debug`."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer keeps the type of contexts to itself
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # What is still buffered has no reader either: without this the interpreter would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(OUTPUT_CLOSED) from None
        except CommandError as error:
            _end(ctx, error)
        except Exception as error:
            code = getattr(error, "exit_code", None)
            if isinstance(code, Exit):  # what agents raise about Kafka says itself what to do
                _end(ctx, CommandError(str(error), "", code))
            if ctx.params["debug"]:
                raise
            message = " ".join(f"{type(error).__name__}: {error}".split())
            hint = "That is a fault of tierwatch: run it again as `tierwatch --debug …` and report what it prints."
            _end(ctx, CommandError(message, hint, Exit.FAILED))


def _end(ctx: typer.Context, error: CommandError) -> NoReturn:
    from console.terminal import tell_error

    tell_error(f"tierwatch {ctx.invoked_subcommand}", error)
    raise typer.Exit(error.code)


app = typer.Typer(
    name="tierwatch",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help cuts no option short in a narrow window
    pretty_exceptions_enable=False,
    epilog="Start with `tierwatch demo`: it needs neither Kafka nor anything else. Exit codes: docs/cli.md.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tierwatch {installed_version('tierwatch')}")
        raise typer.Exit


@app.callback()
def tierwatch(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Real-time fraud monitoring for customers on a tiered whitelist: a whitelist never buys silence."""


# In the order in which somebody new meets them.
app.command("demo", short_help="Watch it work on this machine alone")(demo.command)
app.command("worker", short_help="Judge what comes in on Kafka")(worker.command)
app.add_typer(topics.app, name="topics", short_help="Make Kafka's topics")
app.command("simulate", short_help="Publish a simulated city to Kafka")(simulate.command)
app.command("ingest", short_help="Publish a CSV as transactions and labels")(ingest.command)
app.command("replay", short_help="Run records through detection without Kafka")(replay.command)
app.command("evaluate", short_help="Measure detection on a labelled file")(evaluate.command)
app.command("backtest", short_help="Say what a policy would have done with history")(backtest.command)
app.command("shadow", short_help="Judge live traffic under a policy, in shadow")(shadow.command)
app.command("explain", short_help="Say why an alert came about, and count it again")(explain.command)
app.command("verify", short_help="Run the journal again and compare what stands on Kafka")(verify.command)
app.command("status", short_help="Say what is in force for a customer")(status.command)
app.command("profile", short_help="Say what is usual for a customer, with a picture")(customer_profile.command)
app.command("suspend", short_help="Take the tier from customers at once")(suspend.command)
app.add_typer(whitelist.app, name="whitelist", short_help="Carry an existing whitelist over, screen all again")
app.command("pager", short_help="Make cases of alerts, and tell whoever is on call")(pager.command)
app.add_typer(alerts.app, name="alerts", short_help="Work on alerts one by one")
app.add_typer(cases.app, name="cases", short_help="Work on the incidents that alerts make")
app.add_typer(model.app, name="model", short_help="Train, show, propose and approve the learned score")
app.add_typer(lists.app, name="lists", short_help="Say whom to deny and whom to watch")
app.add_typer(dlq.app, name="dlq", short_help="Work through what could not be decided")
app.command("doctor", short_help="Say what is wrong, and what to do")(doctor.command)
app.add_typer(audit.app, name="audit", short_help="Check the audit")
app.add_typer(policy.app, name="policy", short_help="Check, compare, sign and roll back the policy")
app.add_typer(attestation.app, name="attestation", short_help="Tell other platforms whom we have checked")


def main() -> None:
    """Run the command line; never returns."""
    app(prog_name="tierwatch")
