"""What a rule that knows a pattern says of itself: the policy, the judge and the documentation read it from here."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.plan import PlannedRule
from pipeline.policy.containers import Field
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.transaction import TransactionType

# Minor units of the base currency, as people read them.
Money = Callable[[int], str]
Find = Callable[[PlannedRule, Sight, list[Finding]], None]


class Pattern(NamedTuple):
    """`parameters` stand in the policy beside what all rules have; `amount` is the least that is looked at.

    `find` is asked of transactions of the rule's types from that amount on, declined ones never, and notes what it
    sees; `say` is its sentence for the analyst. `grows_with_amount`: a larger amount never silences it.
    """

    meaning: str
    parameters: Mapping[str, Field]
    find: Find
    say: Callable[[Signal, Money], str]
    types: tuple[TransactionType, ...] = ("purchase", "transfer", "withdrawal")
    grows_with_amount: bool = True
