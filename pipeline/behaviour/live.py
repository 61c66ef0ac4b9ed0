"""A payment's features as they are known while it is judged: its customer's own state, what labels say of the place.

What is in `ELSEWHERE` says nothing here: it has the value that it has where nothing is known.
"""

from struct import Struct
from typing import Final

from pipeline.behaviour.features import FEATURES
from pipeline.behaviour.own import own_features
from pipeline.behaviour.payment import DEPOSIT, RETURNS, category_of
from pipeline.entities.risks import Risks
from pipeline.history import History
from pipeline.log import Entry
from pipeline.validate import Intake

# In their order: the age of the payee, whether nobody has seen it; seven of the place; the memory.
_PAYEE: Final = [-1.0, 0.0]
_NEUTRAL: Final = [0.0, 0.0, -1.0, -1.0, -1.0, 0.0, 0.0]
_MEMORY: Final = [0.0]
_NONE: Final[list[Entry]] = []


# A row as a model is asked about it: numbers of four bytes, in the order of the features.
packed: Final = Struct(f"={len(FEATURES)}f").pack


def is_payment(intake: Intake) -> bool:
    """Whether money was to leave by it: what comes in or goes back is no behaviour, nor is what was declined."""
    return not intake.declined and intake.type_index not in RETURNS and intake.type_index != DEPOSIT


def row_of(history: History, risks: Risks, intake: Intake, *, rhythm: bool) -> list[float]:
    """The features in their order, `category` and `period` still 0: whoever asks counts those in its own way.

    Without `rhythm` the features of that group are as of a customer who paid nothing for a day.
    """
    at_ms, amount, kind = intake.occurred_ms, intake.base_minor, intake.type_index
    category = category_of(kind, intake.mcc, intake.channel)
    entries = history.log.entries if rhythm else _NONE
    row = [float(amount), 0.0]
    row += own_features(history.profile, entries, history.payees, at_ms, amount, kind, category, intake.payee_id)
    row += _PAYEE
    place = risks.place(intake) if risks.known else None
    row += _NEUTRAL if place is None else place.look(at_ms)
    row += _MEMORY
    return row


def category_in(categories: dict[str, int], intake: Intake) -> float:
    """The number of a payment's category; one that is not among `categories` is one more than those."""
    return float(categories.get(category_of(intake.type_index, intake.mcc, intake.channel), len(categories)))
