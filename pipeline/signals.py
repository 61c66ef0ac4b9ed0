"""Findings as they stand on a decision, with the evidence that lets anybody count again, and in words."""

from typing import Literal

from pipeline.currencies import EXPONENTS
from pipeline.history import History
from pipeline.log import amount_of
from pipeline.policy.learned import LEARNED_RULE
from pipeline.policy.model import LIMIT_RULES, POINTS_RULE, Policy
from pipeline.rules import PATTERNS
from pipeline.sight import Finding
from pipeline.validate import Intake
from schemas.decision import EVIDENCE_IDS, Evidence, RetroactiveBreach, Signal
from schemas.timestamps import format_ms

Cause = Literal["limit_breach", "account_frozen", "suspicious_activity"]


def signals_of(findings: list[Finding], history: History, intake: Intake, tier: int) -> tuple[Signal, ...]:
    """What fired at the customer's tier, in the order of the rules."""
    names: dict[tuple[int, ...], tuple[str, ...]] = {}  # several windows show the same entries
    return tuple([_signal(f, tier, _evidence(f, history, intake, names)) for f in findings if f.fires])


def base_signals_of(findings: list[Finding]) -> tuple[Signal, ...]:
    """What would have fired without the privilege; without evidence, which stands on the customer's own signals."""
    return tuple([_signal(f, 0, None) for f in findings if f.fires_at_base])


def retroactive_breach_of(signals: tuple[Signal, ...]) -> RetroactiveBreach | None:
    """The first later moment at which the late arrival breaks a limit."""
    breaches = [RetroactiveBreach(s.rule, s.at, s.observed, s.limit) for s in signals if s.retroactive]
    return min(breaches, key=lambda breach: breach.at, default=None)


def reasons_of(signals: tuple[Signal, ...], policy: Policy, tier: str) -> tuple[str, ...]:
    """Each live signal in a sentence for the analyst."""
    return tuple([_sentence(signal, policy, tier) for signal in signals if signal.mode == "live"])


def cause_of(signals: tuple[Signal, ...]) -> Cause:
    """Why something is asked for, in a word: a freeze before a limit, because no tier's limits excuse it."""
    rules = {signal.rule for signal in signals if signal.mode == "live"}
    if "account_frozen" in rules:
        return "account_frozen"
    return "suspicious_activity" if rules.isdisjoint(LIMIT_RULES) else "limit_breach"


def _signal(finding: Finding, tier: int, evidence: Evidence | None) -> Signal:
    rule = finding.rule
    limit = finding.limit if finding.limit >= 0 else rule.limits[tier]
    return Signal(
        rule.name,
        rule.mode,
        rule.severity,
        rule.points,
        finding.observed,
        limit,
        finding.window,
        finding.retroactive,
        format_ms(finding.end) if finding.retroactive else "",
        evidence,
        finding.about,
        finding.parts,
    )


def _evidence(
    finding: Finding, history: History, intake: Intake, names: dict[tuple[int, ...], tuple[str, ...]]
) -> Evidence:
    own_time = intake.occurred_ms
    own_amount = 0 if intake.declined else intake.base_minor
    if finding.refs is not None:
        return _of_entries(finding.refs, own_amount, history, intake)
    if not finding.window:
        own_at = format_ms(own_time)
        return Evidence(1, own_amount, own_at, own_at, (intake.transaction_id,))
    timeline = history.timeline(finding.mask)
    count, amount, first, last, refs = timeline.evidence(finding.start, finding.end, EVIDENCE_IDS - 1)
    ids = names.get(refs)
    if ids is None:
        ids = names[refs] = _ids(refs, history, intake)
    first = own_time if first is None or first > own_time else first
    last = own_time if last is None or last < own_time else last
    return Evidence(count + 1, amount + own_amount, format_ms(first), format_ms(last), ids)


def _of_entries(refs: tuple[int, ...], own_amount: int, history: History, intake: Intake) -> Evidence:
    """These entries, as they were when they arrived, and the transaction."""
    log = history.log
    times = [log.time(ref) for ref in refs]
    times.append(intake.occurred_ms)
    amount = own_amount + sum([amount_of(log.counts(ref)) for ref in refs])
    ids = _ids(refs[-(EVIDENCE_IDS - 1) :], history, intake)
    return Evidence(len(times), amount, format_ms(min(times)), format_ms(max(times)), ids)


def _ids(refs: tuple[int, ...], history: History, intake: Intake) -> tuple[str, ...]:
    """The ids of these entries and of the transaction, which stands where it belongs in time."""
    log = history.log
    ids = [log.id(ref) for ref in refs]
    # Ties by arrival: this one arrived last.
    place = len(ids)
    while place > 0 and log.time(refs[place - 1]) > intake.occurred_ms:
        place -= 1
    ids.insert(place, intake.transaction_id)
    return tuple(ids)


# Of all that a model looks at, so much is told in words.
_TOLD = 4
_WINDOW_WORDS = {
    "1h": "one hour",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "day": "the calendar day",
    "month": "the calendar month",
    "night": "the night",
}


def _sentence(signal: Signal, policy: Policy, tier: str) -> str:
    is_count = signal.rule.startswith("count_")
    observed, limit = (
        (str(signal.observed), str(signal.limit))
        if is_count
        else (_money(signal.observed, policy.base_currency), _money(signal.limit, policy.base_currency))
    )
    within = _WINDOW_WORDS.get(signal.window, signal.window)
    when = f" at {signal.at}, through this late arrival" if signal.retroactive else ""
    pattern = PATTERNS.get(signal.rule)
    if pattern is not None:
        return pattern.say(signal, lambda minor: _money(minor, policy.base_currency))
    if signal.rule == "account_frozen":
        return "The account is frozen."
    if signal.rule == POINTS_RULE:
        return _points_sentence(signal)
    if signal.rule == LEARNED_RULE:
        return _learned_sentence(signal)
    if signal.rule == "amount_per_transaction":
        return f"The amount is {observed}; tier {tier} allows {limit} per transaction."
    if signal.rule in ("new_payee_amount", "new_device_amount"):
        entity = "payee" if signal.rule == "new_payee_amount" else "device"
        return f"The amount is {observed} with a new {entity}; tier {tier} allows {limit}."
    what = f"{observed} transactions" if is_count else f"{observed}"
    return f"{what} within {within}{when}; tier {tier} allows {limit}."


def _points_sentence(signal: Signal) -> str:
    parts = sorted([part for part in signal.parts if part.points > 0], key=lambda part: -part.points)
    said = [f"{part.rule} {part.figure:.6g} ({part.case}) {part.points}" for part in parts]
    return f"It comes to {signal.observed} points, and {signal.limit} stand out: {'; '.join(said)}."


def _learned_sentence(signal: Signal) -> str:
    strongest = [part for part in signal.parts[1:] if part.points > 0][:_TOLD]
    said = ", ".join([f"{part.rule} {part.figure:.6g} ({part.points:+})" for part in strongest])
    return f"The model gives fraud {signal.observed} in 1,000, and {signal.limit} stand out; most for it speaks {said}."


def _money(amount_minor: int, currency: str) -> str:
    exponent = EXPONENTS[currency]
    whole, cents = divmod(amount_minor, 10**exponent)
    return f"{whole:,}.{cents:0{exponent}d} {currency}" if exponent else f"{whole:,} {currency}"
