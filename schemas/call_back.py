"""A request to call an applicant: which number, when, and what to ask."""

from msgspec import Struct

from schemas.transaction import Timestamp


class AskedQuestion(Struct, frozen=True, kw_only=True):
    """One question and its words, which hold no answer."""

    question_id: str
    asks: str


class CallBackRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt; its result comes back as `callback.answered` or `callback.missed` with the `attempt_id`."""

    attempt_id: str
    customer_id: str
    application_id: str
    attempt: int
    # Leads to a telephone number that has been on file for long enough.
    call: str
    call_from: Timestamp
    call_until: Timestamp
    questions: tuple[AskedQuestion, ...]
    # The caller says it and the customer sees it in the app: so the customer knows who calls.
    code: str
    requested_at: Timestamp
