"""`tierwatch policy calibrate`: limits from history, for a budget of alerts a day."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError
from console.policies import read_policy, read_yaml
from console.policy_diff import tell
from schemas.timestamps import MS_PER_DAY

if TYPE_CHECKING:
    from pipeline.policy.calibrate import Limits, Seen
    from pipeline.policy.model import Policy
    from pipeline.record import InputRecord

_BATCH = 2_000


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILES", help="History: JSON Lines as for `replay`, or CSVs.")],
    *,
    alerts_per_day: Annotated[float, typer.Option(min=0, help="How many alerts your analysts can look at a day.")],
    challenges_per_day: Annotated[
        float | None,
        typer.Option(min=0, help="How many customers may be asked for a step-up a day. [default: no change]"),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="The files are CSVs: handbook, paysim, … or a mapping.")
    ] = "",
    tiers: Annotated[
        str, typer.Option(metavar="FILE", help="Who is at which tier: messages of `entitlements`, one a line.")
    ] = "",
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="What to begin with. [default: TIERWATCH_POLICY]")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the proposed policy there, YAML.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Propose limits per tier from history: the lowest that keep alerts within a budget a day.

    The proposal is a policy of the next version with the same text but for its limits. Read it, then
    `tierwatch policy propose` it: nothing changes by itself. The same history gives the same proposal.
    """
    from msgspec.json import encode

    from console.environment import settings
    from pipeline.policy.calibrate import alerting, asked_per_day, calibrate, challenging
    from pipeline.policy.diff import diff
    from pipeline.policy.load import load_policy
    from pipeline.policy.rewrite import with_limits

    path = policy or settings().policy
    old = read_policy(path)
    seen = _seen(files, format_, tiers, old)
    days = max(1.0, (seen[-1].arrival_ms - seen[0].arrival_ms) / MS_PER_DAY)
    budgets = {"alerts": (alerting(old), alerts_per_day)}
    if challenges_per_day is not None:
        budgets["challenges"] = (challenging(old), challenges_per_day)
    current = limits = {tier.name: dict(tier.limits) for tier in old.tiers}
    asked = {}
    for rules, per_day in budgets.values():
        limits = calibrate(seen, old, limits, rules, per_day, days)
    for what, (rules, per_day) in budgets.items():
        now, then = (asked_per_day(seen, each, rules, old, days) for each in (current, limits))
        asked[what] = {"budget": per_day, "now": round(now, 2), "proposed": round(then, 2)}
    yaml = with_limits(read_yaml(path), limits, old.version + 1)
    new = load_policy(yaml)
    if out is not None:
        out.write_bytes(yaml)
    changes = diff(old, new)
    if json:
        said = {
            "transactions": len(seen),
            "days": round(days, 2),
            "per_day": asked,
            "limits": _changed(current, limits),
        }
        typer.echo(encode({**said, "changes": [str(change) for change in changes]}))
        return
    typer.echo(f"{len(seen):,} transactions of {days:,.1f} days; a day:")
    for what, numbers in asked.items():
        today, proposed, budget = (f"{numbers[name]:,.2f}" for name in ("now", "proposed", "budget"))
        typer.echo(f"  {what:<11} {today:>12} now {proposed:>12} proposed, budget {budget}")
    tell(changes)
    if out is not None:
        typer.echo(f"Written: {out}. Look at it, then `tierwatch policy propose {out}`.")


def _changed(current: "Limits", limits: "Limits") -> "dict[str, dict[str, int]]":
    return {
        tier: {rule: limit for rule, limit in of_tier.items() if limit != current[tier][rule]}
        for tier, of_tier in limits.items()
    }


def _seen(files: list[str], format_: str, tiers: str, policy: "Policy") -> "list[Seen]":
    """What each rule observed of each transaction of the history, in the order of arrival."""
    from msgspec.json import Decoder

    from console.offline import SHARED_TOPICS, Offline
    from console.policy_diff import tiers_of_file
    from pipeline.policy.calibrate import Seen, probe
    from schemas.decision import Decision
    from schemas.timestamps import parse_ms

    decode = Decoder(Decision).decode
    pipeline = Offline(probe(policy))
    known: Mapping[bytes | str, str] = tiers_of_file(tiers) if tiers else {}
    names = {tier.name for tier in policy.tiers}
    seen: list[Seen] = []

    def judge(batch: "list[InputRecord]") -> None:
        for message in pipeline.take(batch):
            if message.topic == "decisions":
                said = decode(message.value or b"")
                observed = {each.rule: each.observed for each in said.signals if not each.retroactive}
                tier = known.get(said.customer_id, said.tier)
                seen.append(
                    Seen(said.customer_id, tier if tier in names else said.tier, parse_ms(said.arrived_at), observed)
                )

    batch: list[InputRecord] = []
    for record in _records(files, format_):
        if record.topic == "policies":  # the history's own policies would judge instead of the one that is asked about
            continue
        if record.topic not in SHARED_TOPICS:
            batch.append(record)
        if len(batch) == _BATCH or record.topic in SHARED_TOPICS:
            judge(batch)
            batch = []
        if record.topic in SHARED_TOPICS:
            pipeline.books.take(record)
    judge(batch)
    if not seen:
        raise CommandError(
            "no transaction of the history could be judged", "`tierwatch replay` says what is wrong with it."
        )
    return sorted(seen, key=lambda each: each.arrival_ms)


def _records(files: list[str], format_: str) -> "Iterator[InputRecord]":
    from console.csv_records import csv_records
    from console.inputs import check_readable, lines_of, open_input
    from console.record_lines import LineReader
    from pipeline.record import InputRecord

    check_readable(files)
    reader = LineReader()
    for name in files:
        with open_input(name) as source:
            if format_:
                yield from csv_records(source, name, format_, None)
                continue
            for line in lines_of(source):
                record = reader.read(line)
                if isinstance(record, InputRecord):
                    yield record
