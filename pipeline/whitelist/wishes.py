"""What a customer asked for and nobody approved: limits that may only be lower, and that outlast the tier."""

from math import inf
from typing import Final

from pipeline.whitelist.dossier import Allowance, Dossier

# Of one rule: a lasting limit of their own, and some for a while.
MOST_WISHES: Final = 8


def wishes(dossier: Dossier) -> tuple[Allowance, ...]:
    """The limits that the customer asked for: they outlast the tier."""
    return tuple(one for one in dossier.allowances if one.limit is not None and not one.approvers)


def tightest(*wished: Allowance) -> tuple[Allowance, ...]:
    """Of the wishes for one rule those that count, whatever their order: no other is as low for as long."""
    kept: list[Allowance] = []
    for one in sorted(wished, key=lambda one: (one.limit or 0, -_end_ms(one))):
        if not kept or _end_ms(one) > _end_ms(kept[-1]):
            kept.append(one)
    # Whoever asks for more of them than anybody needs keeps the lowest for the longest.
    return tuple(kept) if len(kept) <= MOST_WISHES else (kept[0]._replace(until_ms=kept[-1].until_ms),)


def answered(dossier: Dossier, rule: str, limit: int) -> tuple[Allowance, ...]:
    """The allowances when a lasting limit was approved: no wish for that rule asks for less any more."""
    wished = {one for one in wishes(dossier) if one.rule == rule}
    return tuple(one._replace(limit=max(one.limit or 0, limit)) if one in wished else one for one in dossier.allowances)


def _end_ms(one: Allowance) -> float:
    return inf if one.until_ms is None else one.until_ms
