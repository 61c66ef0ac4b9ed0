"""All models that were ever told of, by their hash: what they may do is said by the policy."""

from pipeline.learned.model import Model, ModelError
from pipeline.policy.model import Policy
from schemas.model_file import ModelFile


class Models:
    """Those that fit their cards; the same files in the same order give the same models."""

    def __init__(self) -> None:
        """None yet."""
        self.told: dict[str, Model] = {}

    def apply(self, file: ModelFile) -> None:
        """Take a model.

        Raises:
            ValueError: it does not fit its card, or is none; nothing changed.

        """
        if file.card.sha256 in self.told:
            return
        try:
            self.told[file.card.sha256] = Model(file.text, file.card)
        except ModelError as error:
            raise ValueError(f"$.text: {error}") from None

    def of(self, policy: Policy) -> Model | None:
        """The model that a policy has asked; None where it has none, or its file is not here."""
        learned = policy.learned
        return None if learned is None or learned.mode == "off" else self.told.get(learned.model)
