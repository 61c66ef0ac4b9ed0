"""Why an input was set aside: a dead letter was not understood, a refused event was understood but is not allowed."""

from enum import StrEnum
from typing import Self


class DeadLetterReason(StrEnum):
    """Why a record became a dead letter; `replayable` when the cause can go away while the bytes stay as they are."""

    meaning: str
    replayable: bool
    example: str

    def __new__(
        cls,
        value: str,
        meaning: str = "",
        replayable: bool = False,  # noqa: FBT001, FBT002 - an enumeration passes its tuple by position
        example: str = "",
    ) -> Self:
        """Attach the meaning, whether a replay can succeed, and an example for the documentation."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.replayable = replayable
        member.example = example
        return member

    EMPTY_VALUE = "empty_value", "The record has no value, or one of no bytes.", False, "a tombstone"
    NOT_UTF8 = "not_utf8", "The bytes are not UTF-8.", False, "the bytes `FF FE`"
    NOT_JSON = "not_json", "The text is not JSON (RFC 8259).", False, '`{"amount": NaN}`, a byte order mark'
    TOO_DEEP = "too_deep", "Objects and arrays are nested more than 32 deep.", False, "`[[[[...]]]]`"
    FIELD_TOO_LONG = "field_too_long", "A text is longer than its field allows.", False, "a description of 5 MB"
    MISSING_FIELD = "missing_field", "A required field is missing.", False, "no `currency`"
    WRONG_TYPE = (
        "wrong_type",
        "A value has another JSON type than its field.",
        False,
        '`"amount": 12.0`, `"amount": "12"`',
    )
    BAD_VALUE = "bad_value", "A value has the right type but is not allowed.", False, '`"status": "maybe"`, an empty id'
    BAD_TIME = "bad_time", "A time is not RFC 3339 with an offset, or does not exist.", False, "`2026-02-30T10:00:00Z`"
    NEGATIVE_AMOUNT = (
        "negative_amount",
        "The amount is below zero; direction is told by the type.",
        False,
        '`"amount": -1`',
    )
    ABSURD_AMOUNT = (
        "absurd_amount",
        "The amount is beyond what any payment can be.",
        False,
        '`"amount": 10000000000000000000`',
    )
    UNKNOWN_CURRENCY = "unknown_currency", "The currency is not an active ISO 4217 code.", True, '`"currency": "QQQ"`'
    NO_RATE = (
        "no_rate",
        "No exchange rate is known for that day, or only one that is too old.",
        True,
        "EUR without a rate",
    )
    EMPTY_KEY = (
        "empty_key",
        "The record has no key, so its customer's worker cannot be found.",
        False,
        'key null or `""`',
    )
    KEY_MISMATCH = "key_mismatch", "The record's key is not the customer in its body.", False, "key `c-1`, body `c-2`"
    WRONG_PARTITION = (
        "wrong_partition",
        "The key belongs on another partition: the processor does not partition by murmur2.",
        True,
        "librdkafka without `partitioner=murmur2_random`",
    )
    CARD_NUMBER = (
        "card_number",
        "A card number stands in clear text; kept masked only.",
        False,
        "a PAN in `description`",
    )
    TOO_LATE = "too_late", "It arrived later after it occurred than the policy's lateness.", False, "two days old"
    FROM_THE_FUTURE = (
        "from_the_future",
        "It occurred after its arrival by more than the policy's skew.",
        False,
        "a clock an hour fast",
    )
    CONFLICTING_DUPLICATE = (
        "conflicting_duplicate",
        "A transaction of this source and id is known, with other content.",
        False,
        "the same id with another amount",
    )
    TOO_LATE_TO_DEDUPLICATE = (
        "too_late_to_deduplicate",
        "A replayed dead letter so old that its id may be forgotten: it might count twice.",
        False,
        "replayed after three days",
    )
    UNKNOWN_EVENT_TYPE = (
        "unknown_event_type",
        "This version does not know the `event_type`; a newer one may.",
        True,
        '`"event_type": "customer.promoted"`',
    )
    UNKNOWN_TOPIC = "unknown_topic", "Nothing here reads that topic; a newer version may.", True, "topic `payments`"
    NOT_A_RECORD = "not_a_record", "A replay line that is not even a record.", False, "a line without `topic`"
    CRASHED = (
        "crashed",
        "Our own bug: the record is kept, report the detail, replay it after the fix.",
        True,
        "an exception in a rule",
    )


class RefusalReason(StrEnum):
    """Why a well-formed event was not applied; it stands on the `audit` topic and nothing was changed."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """Attach the meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    UNKNOWN_PERSON = "unknown_person", "The policy in force names no such person."
    UNKNOWN_KEY = "unknown_key", "That person has no key of this id in the policy in force."
    BAD_SIGNATURE = "bad_signature", "The signature does not fit the event and the key."
    NOT_AUTHORISED = "not_authorised", "That person has no role that may do this."
    TOO_FEW_APPROVERS = "too_few_approvers", "Fewer people signed than the policy asks for."
    SAME_PERSON_TWICE = "same_person_twice", "One person or one key signed twice."
    OWN_PROPOSAL = "own_proposal", "The proposer may not approve the proposal."
    OWN_CASE = "own_case", "An approver is the customer concerned."
    UNKNOWN_TIER = "unknown_tier", "The policy in force has no such tier."
    NOT_A_GRANT = "not_a_grant", "The base tier is the absence of a grant: it cannot be granted."
    NO_EVIDENCE = "no_evidence", "No evidence is given."
    EVIDENCE_EXPIRED = "evidence_expired", "A piece of evidence has expired."
    EVIDENCE_FROM_THE_FUTURE = "evidence_from_the_future", "A piece of evidence is dated after the event."
    EXPIRED = "expired", "The grant would have expired on arrival."
    GRANT_TOO_LONG = "grant_too_long", "The grant would last longer than the tier allows."
    REVIEW_TOO_FAR = "review_too_far", "The first review is later than the tier's review interval allows."
    REVIEW_AFTER_EXPIRY = "review_after_expiry", "The first review is not before the expiry."
    REVIEW_OVERDUE = "review_overdue", "The review and its grace would be over on arrival."
    FROM_THE_FUTURE = "from_the_future", "The event is dated after its arrival by more than the policy's skew."
    OLDER_THAN_KNOWN = "older_than_known", "A later event has already lowered or frozen; an older one must not raise."
    NOT_NOW = "not_now", "The customer is not where that could happen; the detail says where."
    NO_ONBOARDING = "no_onboarding", "The policy in force takes no applications."
    NOT_A_RAISE = "not_a_raise", "What is asked for is not above what is held."
    UNKNOWN_RULE = "unknown_rule", "There is no rule of that name to change like that, or none is named."
    ABOVE_CEILING = "above_ceiling", "The limit is above the ceiling of the tier."
    NO_CONSENT = "no_consent", "The consent is younger than the application."
    UNKNOWN_APPLICATION = "unknown_application", "That is not the application that is open."
    APPLICATION_REQUIRED = "application_required", "The policy in force grants no tier on paper alone."
    NOT_ASKED_FOR = "not_asked_for", "The tier is above the one that was applied for."
    EVIDENCE_NOT_ON_FILE = "evidence_not_on_file", "A piece of evidence is not the newest of its kind on file."
    CRITERIA_NOT_MET = "criteria_not_met", "The file does not carry the tier; the detail says what it lacks."
    SCREENING_HIT = "screening_hit", "The newest screening names the customer."
    UNKNOWN_ATTEMPT = "unknown_attempt", "No call-back of that id is open."
    CALLED_TOO_EARLY = "called_too_early", "No number had been on file for as long as the policy asks."
    WRONG_QUESTIONS = "wrong_questions", "The answers are not to the questions that were asked."
    SUSPENDED = "suspended", "The tier is suspended: it must be reinstated first."
    NO_GRANT = "no_grant", "No tier above base is in force."
    TOO_LONG = "too_long", "It would last longer than may be."
    ALREADY_APPLIED = "already_applied", "An event of that id was applied with other content."
    INVALID_POLICY = "invalid_policy", "The proposed policy does not load; the first problems stand in the detail."
    STALE_POLICY = "stale_policy", "The proposal was made against a version no longer in force."
    UNKNOWN_PROPOSAL = "unknown_proposal", "No open proposal of that digest is known."
    ALREADY_DECIDED = "already_decided", "The proposal was already approved or rejected."
    NEVER_APPROVED = "never_approved", "Only a version that was once in force can be rolled back to."
    BASE_CURRENCY_CHANGED = "base_currency_changed", "The base currency cannot change: sums already kept are in it."
    VERSION_NOT_NEXT = "version_not_next", "The version is not above that of the policy in force."
    UNKNOWN_POLICY = "unknown_policy", "The event is about a policy of another name."
    GLASS_TOO_LONG = "glass_too_long", "Glass may be broken for four hours at most, those not yet reviewed included."
    UNKNOWN_GLASS = "unknown_glass", "No broken glass of that id lasts, or waits for a review."
    OWN_GLASS = "own_glass", "Whoever broke the glass may not review it."
    GLASS_NOT_OVER = "glass_not_over", "The review comes afterwards: the glass is still broken."
    NOT_AN_ATTESTATION = "not_an_attestation", "The token is no attestation."
    UNKNOWN_ISSUER = "unknown_issuer", "The policy in force does not trust its issuer."
    UNKNOWN_ISSUER_KEY = "unknown_issuer_key", "The issuer has no such key in the policy, or not for the time of issue."
    WRONG_AUDIENCE = "wrong_audience", "The attestation is meant for another platform."
    WRONG_APPLICATION = "wrong_application", "The attestation is meant for another application."
    WRONG_CUSTOMER = "wrong_customer", "The attestation is meant for another customer."
    ATTESTATION_REVOKED = "attestation_revoked", "Its issuer has taken the attestation back."
    ATTESTATION_REPLAYED = "attestation_replayed", "This attestation is on file already."
