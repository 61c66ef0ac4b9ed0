"""What every worker reads whole: the policies with their history, and the exchange rates."""

from schemas.codec import Undecodable, decode_rate
from schemas.reasons import DeadLetterReason as Reason

from pipeline.messages import dead_letter_of
from pipeline.policy.book import PolicyBook
from pipeline.rates import Rates
from pipeline.record import Message, Record
from pipeline.validate import Rejected


class Books:
    """Policies and rates as of the records taken so far."""

    def __init__(self, policies: PolicyBook, rates: Rates) -> None:
        """Begin with the first policy, and no rate or those given."""
        self.policies = policies
        self.rates = rates

    def take(self, record: Record) -> list[Message]:
        """Apply one record of `policies` or `rates`: an audit entry or a dead letter comes back, or nothing."""
        try:
            if record.topic == "rates":
                return self._rate(record)
            return self._policy(record)
        except Undecodable as error:
            return [dead_letter_of(record, Rejected(error.reason, error.detail))]

    def _rate(self, record: Record) -> list[Message]:
        if record.value is None:  # a compacted topic forgets by tombstones; a rate once used stays used
            return []
        try:
            self.rates.apply(decode_rate(record.value).message)
        except Undecodable:
            raise
        except ValueError as error:
            raise Undecodable(Reason.BAD_VALUE, str(error)) from None
        return []
