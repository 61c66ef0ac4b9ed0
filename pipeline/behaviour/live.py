"""A payment's features as they are known while it is judged: from its customer's own state, none from elsewhere.

What other customers' payments would tell (of a place, of whether anybody has ever paid a payee) and the memory of 48
hours say nothing here: they have the value that they have where nothing is known.
"""

from collections.abc import Mapping
from typing import Final

from pipeline.behaviour.own import own_features
from pipeline.behaviour.payment import DEPOSIT, RETURNS, category_of
from pipeline.behaviour.recent import Recent
from pipeline.history import History
from pipeline.validate import Intake

# In their order: the age of the payee, whether nobody has seen it, seven of the place, the memory.
_UNKNOWN: Final = (-1.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0)
_NONE: Final[Recent] = ()


def is_payment(intake: Intake) -> bool:
    """Whether money was to leave by it: what comes in or goes back is no behaviour, nor is what was declined."""
    return not intake.declined and intake.type_index not in RETURNS and intake.type_index != DEPOSIT


def row_of(history: History, intake: Intake, categories: Mapping[str, int], *, rhythm: bool) -> list[float]:
    """The features in their order, `period` still 0; a category that is not among `categories` is one more than those.

    Without `rhythm` the features of that group are as of a customer who paid nothing for a day.
    """
    at_ms, amount, kind = intake.occurred_ms, intake.base_minor, intake.type_index
    category = category_of(kind, intake.mcc, intake.channel)
    recent = history.recent() if rhythm else _NONE
    own = own_features(history.profile, recent, history.payees, at_ms, amount, kind, category, intake.payee_id)
    return [float(amount), float(categories.get(category, len(categories))), *own, *_UNKNOWN]
