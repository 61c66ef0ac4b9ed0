"""What happens on the way to a tier: the application, the evidence for it, and the call-back that verifies it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.event import Event, SignedEvent
from schemas.transaction import Identifier, ShortText, Timestamp

Limit = Annotated[int, Meta(ge=0, le=999_999_999_999_999, description="Base minor units, or a count, by the rule.")]
AnswerResult = Literal["match", "mismatch", "hesitant", "refused"]


class Consent(Struct, frozen=True, kw_only=True):
    """To what the customer agreed, and when."""

    notice_version: ShortText
    given_at: Timestamp


class ApplicationSubmitted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="application.submitted"):
    """Asks for a tier, and for `limits` beyond it by rule. `documents` are references, never their content."""

    application_id: Identifier
    tier: Identifier
    consent: Consent
    limits: Annotated[dict[Identifier, Limit], Meta(max_length=32)] = field(default_factory=dict)
    documents: Annotated[tuple[Identifier, ...], Meta(max_length=64)] = ()


class ApplicationWithdrawn(Event, frozen=True, kw_only=True, omit_defaults=True, tag="application.withdrawn"):
    """The customer no longer asks."""

    application_id: Identifier


class ApplicationDeclined(Event, frozen=True, kw_only=True, omit_defaults=True, tag="application.declined"):
    """A reviewer says no; `reason_code` says why, for the customer too."""

    application_id: Identifier


class EvidenceFiled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A check that somebody made; the newest of its kind counts. `actor` gathered it and may not approve on it."""

    reference: Identifier
    issued_at: Timestamp
    expires_at: Timestamp | None = None


class IdentityVerified(EvidenceFiled, frozen=True, kw_only=True, omit_defaults=True, tag="identity.verified"):
    """Who the customer is; `expires_at` is the document's, whose number never comes here."""

    method: Literal["in_person", "video", "electronic"]
    document_kind: Literal["passport", "identity_card", "residence_permit", "driving_licence"]


class CreditAssessed(EvidenceFiled, frozen=True, kw_only=True, omit_defaults=True, tag="credit.assessed"):
    """What a credit bureau says."""

    bureau: Identifier
    score: Annotated[int, Meta(ge=0, le=1_000)]
    delinquencies: Annotated[int, Meta(ge=0, le=10_000)]


class ScreeningCompleted(EvidenceFiled, frozen=True, kw_only=True, omit_defaults=True, tag="screening.completed"):
    """What the anti-money-laundering lists say. The customer is never told."""

    result: Literal["clear", "hit", "pending"]
    list_version: ShortText


class SourceOfFundsVerified(
    EvidenceFiled, frozen=True, kw_only=True, omit_defaults=True, tag="source_of_funds.verified"
):
    """Where the customer's money comes from."""

    source: Literal["salary", "business", "pension", "investments", "inheritance", "other"]


class AttestationPresented(Event, frozen=True, kw_only=True, omit_defaults=True, tag="attestation.presented"):
    """Another platform's signed word about the applicant; what it counts for, the policy says."""

    application_id: Identifier
    token: Annotated[str, Meta(min_length=1, max_length=16_384, description="A compact JWS, EdDSA.")]


class ContactChanged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="contact.changed"):
    """The customer can be reached there from `occurred_at` on; `reference` leads to it and does not hold it."""

    kind: Literal["phone", "email", "address"]
    reference: Identifier


class CredentialChanged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="credential.changed"):
    """What the customer logs in or pays with was changed."""

    kind: Literal["password", "pin", "authenticator", "biometric"]


class SecondFactorFailed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="second_factor.failed"):
    """Somebody could not prove to be the customer."""

    method: Literal["pin", "otp", "authenticator", "biometric"]


class Answer(Struct, frozen=True, kw_only=True):
    """How one question of a call-back was answered; never the answer."""

    question_id: Identifier
    result: AnswerResult


class CallbackAnswered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="callback.answered"):
    """The customer was reached: a result for each question of the attempt that was issued, once."""

    attempt_id: Identifier
    answers: Annotated[tuple[Answer, ...], Meta(min_length=1, max_length=32)]


class CallbackMissed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="callback.missed"):
    """The customer was not reached."""

    attempt_id: Identifier


class CallbackConfirmed(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="callback.confirmed"):
    """Somebody looked into the doubts that a call-back left, and settled them."""

    application_id: Identifier
