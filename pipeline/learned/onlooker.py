"""Looks on while a log is judged again: the very features that workers had, and what labels said of the payments.

A model is trained on what it will be asked about because both come from the same judging.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import ELSEWHERE, FEATURES
from pipeline.behaviour.payment import category_of
from pipeline.labels.asked import alert_id_of
from pipeline.labels.verdict import NOTHING_SAID, Verdict, verdict_of
from pipeline.learned.asked import Batch
from pipeline.learned.model import Model
from pipeline.learned.models import Models
from pipeline.policy.labels import Labels
from pipeline.policy.model import Policy
from schemas.disposition import Disposition
from schemas.model_file import ModelCard

_KNOWN: Final = tuple([name for name in FEATURES if name not in ELSEWHERE])


class _Speechless(Model):
    """Wants to know every feature that is known while judging, and says nothing."""

    def __init__(self) -> None:
        self.card = ModelCard(
            features=_KNOWN, categories=(), payments=0, frauds=0, first_ms=0, last_ms=0, leaves=1, trees=0, sha256=""
        )
        self.categories = {}
        self.rhythm = True

    def thousandths(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        return np.zeros(len(features), dtype=np.intp)


class LookedAt(Models):
    """Has every policy ask the one model that says nothing."""

    def __init__(self) -> None:
        """Make it."""
        super().__init__()
        self._model = _Speechless()

    def of(self, policy: Policy) -> Model:  # noqa: ARG002 - whichever it is
        """The model."""
        return self._model


class Onlooker:
    """The payments in the order in which they were judged, all lists as long as `rows` together.

    `rows`: a matrix for each unit, float32 of (payments, features), `category` still to be filled in.
    """

    def __init__(self) -> None:
        """Nothing was seen."""
        self.rows: list[npt.NDArray[np.float32]] = []
        self.at_ms: list[int] = []
        self.customers: list[str] = []
        self.categories: list[str] = []
        # The tier in force then.
        self.tiers: list[str] = []
        # By the id that an alert on it has, or would have.
        self.payments: list[str] = []
        # The last arrival of all, epoch ms.
        self.latest_ms = 0
        self._verdicts: dict[str, Verdict] = {}

    def see(self, batch: Batch) -> None:
        """Take what a model was to be asked about."""
        self.rows.append(batch.rows.copy())
        for each in batch.waiting:
            intake = each.intake
            self.at_ms.append(intake.occurred_ms)
            self.latest_ms = max(self.latest_ms, intake.arrived_ms)
            self.customers.append(intake.customer_id)
            self.categories.append(category_of(intake.type_index, intake.mcc, intake.channel))
            self.tiers.append(each.plan.tiers[intake.tier])
            self.payments.append(alert_id_of(intake.source, intake.transaction_id, intake.customer_id))

    def hear(self, said: Disposition, policy: Labels, arrival_ms: int) -> None:
        """Take a label: the newest of a payment holds, from when on it teaches."""
        payment = said.alert_id or alert_id_of(said.source, said.transaction_id, said.customer_id)
        known = self._verdicts.get(payment, NOTHING_SAID)
        self.latest_ms = max(self.latest_ms, arrival_ms)
        self._verdicts[payment] = verdict_of(said, known, policy, arrival_ms)

    def verdicts(self) -> list[Verdict]:
        """What was said of each payment."""
        return [self._verdicts.get(payment, NOTHING_SAID) for payment in self.payments]
