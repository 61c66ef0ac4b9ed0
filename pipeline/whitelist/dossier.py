"""The dossier: what is remembered of a customer's life on the whitelist, and the tier it gives at a moment."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import msgspec

# The newest events applied, so that a repeat is quiet. Nothing rests on it: a repeat that was forgotten is older than
# what it once did, so it cannot raise again.
APPLIED_KEPT = 64
# Before every moment that can be told.
NEVER = -(1 << 63)


class Evidence(NamedTuple):
    """One document or check that a grant rests on; `expires_ms` None never expires."""

    kind: str
    reference: str
    issued_ms: int
    expires_ms: int | None


class Filed(NamedTuple):
    """The newest check of its kind: who filed it when, and what it found, as sorted (name, value) pairs."""

    kind: str
    reference: str
    issued_ms: int
    filed_ms: int
    expires_ms: int | None
    gathered_by: str
    facts: tuple[tuple[str, str | int], ...]


class Contact(NamedTuple):
    """Where the customer can be reached, since when; `reference` leads to it."""

    kind: str
    reference: str
    since_ms: int


class Chargeback(NamedTuple):
    """What a payment, or an alert, was found to be, and when; `about` is a digest of its identity."""

    about: bytes
    labelled_ms: int
    is_fraud: bool


class Allowance(NamedTuple):
    """What one customer may beside the tier: a `limit` of a rule, or None where what it finds is suppressed.

    A limit without `until_ms` lasts as long as the grant.
    """

    rule: str
    limit: int | None
    until_ms: int | None
    event_id: str
    approvers: tuple[str, ...]


class Application(NamedTuple):
    """What the customer last asked for, and how far that is: `since_ms` it is there, `ends_ms` it lapses, None never.

    `attempts` counts the call-backs issued; `asked` are the questions of the last one, and `doubted` says that its
    answers were followed by further ones.
    """

    application_id: str
    tier: str
    limits: tuple[tuple[str, int], ...]
    applicant: str
    submitted_ms: int
    stage: str
    since_ms: int
    ends_ms: int | None
    attempts: int = 0
    asked: tuple[str, ...] = ()
    doubted: bool = False
    reason_code: str = ""


@dataclass(frozen=True)
class Grant:
    """A tier above base, with all that it may not be without. Times in epoch milliseconds.

    `grace_until_ms` is the first moment without the tier: the review's grace over, or the expiry where that is sooner,
    because it has no grace. `steps` is the review clock, fixed with the grant so that a change of policy never moves a
    date once given: the request, the reminders, the end; rising. After `dormant_ms` without a payment somebody looks, 0
    for never.
    """

    tier: str
    event_id: str
    approvers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    granted_ms: int
    expires_ms: int
    review_ms: int
    grace_until_ms: int
    steps: tuple[int, ...]
    dormant_ms: int = 0


@dataclass(frozen=True)
class Dossier:
    """A customer on, or once on, the whitelist. Immutable; an event or a tick makes a new one.

    `announced` counts the grant's steps already announced. `lowered_ms` is the newest moment at which an event lowered
    or froze: what occurred no later must not raise. `applied` holds `fingerprint`s, oldest first. An ended grant stays
    until another takes its place: it says what may no longer raise. `file` and `contacts` hold the newest of each kind,
    contacts the few newest, because a number just changed is not called. That evidence expires has been said up to
    `warned_ms`. `swept` is the newest sweep asked for by cause; `active_ms` when a look found a payment, or asked for
    want of one; `failures` when second factors failed of late. `assess_ms` is when an application that waits for quiet
    is looked at again. `measured_ms` is when behaviour was last compared with the customer's own profile, or when
    that began, None where it never did; `shifted_ms` since when it has left it, until a newer grant.
    `chargebacks` are payments of the last year that were found to be fraud, or no fraud after all.
    """

    grant: Grant | None = None
    announced: int = 0
    frozen_since_ms: int | None = None
    lowered_ms: int = NEVER
    applied: tuple[bytes, ...] = ()
    suspended_since_ms: int | None = None
    application: Application | None = None
    file: tuple[Filed, ...] = ()
    contacts: tuple[Contact, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    warned_ms: int = NEVER
    swept: tuple[tuple[str, int], ...] = ()
    active_ms: int = NEVER
    failures: tuple[int, ...] = ()
    assess_ms: int | None = None
    measured_ms: int | None = None
    shifted_ms: int | None = None
    chargebacks: tuple[Chargeback, ...] = ()

    @property
    def frozen(self) -> bool:
        """Whether a freeze stands."""
        return self.frozen_since_ms is not None

    @property
    def is_trusted(self) -> bool:
        """Whether the grant was given since behaviour last left the profile, or it never did."""
        return self.shifted_ms is None or (self.grant is not None and self.grant.granted_ms > self.shifted_ms)


EMPTY = Dossier()


def tier_at(dossier: Dossier, arrival_ms: int) -> str | None:
    """The name of the tier granted at an arrival, None for base. Needs no tick: ticks only announce."""
    grant = dossier.grant
    if grant is None or arrival_ms >= grant.grace_until_ms or dossier.suspended_since_ms is not None:
        return None
    return grant.tier


class UnreadableDossierError(ValueError):
    """The bytes are no dossier that this version can read: they were damaged, or written by a newer worker."""


# All in the order of the class's fields; plain tuples, because a class may change and a compiled one tells no types.
_EvidenceV1 = tuple[str, str, int, int | None]
_StepsV1 = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
_GrantV1 = tuple[str, str, tuple[str, ...], tuple[_EvidenceV1, ...], int, int, int, int, _StepsV1]
_ApplicationV1 = tuple[
    str, str, tuple[tuple[str, int], ...], str, int, str, int, int | None, int, tuple[str, ...], bool, str
]
_FiledV1 = tuple[str, str, int, int, int | None, str, tuple[tuple[str, str | int], ...]]
_ContactV1 = tuple[str, str, int]
_AllowanceV1 = tuple[str, int | None, int | None, str, tuple[str, ...]]
_DossierV1 = tuple[
    _GrantV1 | None,
    int,
    int | None,
    int,
    tuple[bytes, ...],
    int | None,
    _ApplicationV1 | None,
    tuple[_FiledV1, ...],
    tuple[_ContactV1, ...],
    tuple[_AllowanceV1, ...],
    int,
]
# What version 2 added at the end: of the grant the dormancy, of the dossier sweeps, activity, failures, look.
_AddedV2 = tuple[int, tuple[tuple[str, int], ...], int, tuple[int, ...], int | None]
# What version 3 added: the last look at the profile, since when it has shifted, and chargebacks.
_ChargebackV3 = tuple[bytes, int, bool]
_AddedV3 = tuple[int | None, int | None, tuple[_ChargebackV3, ...]]
_HEADERS = bytes((1, 0)), bytes((2, 0)), bytes((3, 0))  # version, flags (reserved)
_encoder = msgspec.msgpack.Encoder()
_decoder_v1 = msgspec.msgpack.Decoder(_DossierV1)
_decoder_v2 = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2])
_decoder = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2, _AddedV3])
_V2_ADDED_NOTHING: _AddedV2 = 0, (), NEVER, (), None
_V3_ADDED_NOTHING: _AddedV3 = None, None, ()


def encode(dossier: Dossier) -> bytes | None:
    """The state bytes of a dossier: a function of its content alone. None, which is no record, for an empty one."""
    if dossier == EMPTY:
        return None
    grant = dossier.grant
    granted = grant and (
        grant.tier,
        grant.event_id,
        grant.approvers,
        grant.evidence,
        grant.granted_ms,
        grant.expires_ms,
        grant.review_ms,
        grant.grace_until_ms,
        grant.steps,
    )
    body = (
        granted,
        dossier.announced,
        dossier.frozen_since_ms,
        dossier.lowered_ms,
        dossier.applied,
        dossier.suspended_since_ms,
        dossier.application,
        dossier.file,
        dossier.contacts,
        dossier.allowances,
        dossier.warned_ms,
    )
    dormant_ms = grant.dormant_ms if grant is not None else 0
    added = dormant_ms, dossier.swept, dossier.active_ms, dossier.failures, dossier.assess_ms
    return _HEADERS[-1] + _encoder.encode((body, added, (dossier.measured_ms, dossier.shifted_ms, dossier.chargebacks)))


def decode(state: bytes | None) -> Dossier:
    """The dossier of its state bytes, of every version ever written; None is the empty dossier.

    Raises:
        UnreadableDossierError: the bytes were damaged, or a newer version wrote them.

    """
    if state is None:
        return EMPTY
    if state[:2] not in _HEADERS:
        raise UnreadableDossierError(
            f"a dossier with version and flags {state[:2].hex() or 'missing'}; this worker reads "
            f"{' '.join(header.hex() for header in _HEADERS)}: was it written by a newer one?"
        )
    added, measured = _V2_ADDED_NOTHING, _V3_ADDED_NOTHING
    try:
        if state[0] == 1:
            body = _decoder_v1.decode(state[2:])
        elif state[0] == 2:  # noqa: PLR2004 - the version
            body, added = _decoder_v2.decode(state[2:])
        else:
            body, added, measured = _decoder.decode(state[2:])
    except msgspec.DecodeError as error:
        raise UnreadableDossierError(f"a damaged dossier: {error}") from error
    return _dossier(body, added, measured)


def _dossier(body: _DossierV1, added: _AddedV2, measured: _AddedV3) -> Dossier:
    granted, announced, frozen_since_ms, lowered_ms, applied, suspended_since_ms, application, file, contacts, *_ = body
    allowances, warned_ms = body[9:]
    dormant_ms, swept, active_ms, failures, assess_ms = added
    measured_ms, shifted_ms, chargebacks = measured
    return Dossier(
        _grant(granted, dormant_ms),
        announced,
        frozen_since_ms,
        lowered_ms,
        applied,
        suspended_since_ms,
        None if application is None else Application(*application),
        tuple(Filed(*filed) for filed in file),
        tuple(Contact(*contact) for contact in contacts),
        tuple(Allowance(*allowance) for allowance in allowances),
        warned_ms,
        swept,
        active_ms,
        failures,
        assess_ms,
        measured_ms,
        shifted_ms,
        tuple(Chargeback(*chargeback) for chargeback in chargebacks),
    )


def _grant(granted: _GrantV1 | None, dormant_ms: int) -> Grant | None:
    if granted is None:
        return None
    tier, event_id, approvers, items, granted_ms, expires_ms, review_ms, grace_until_ms, steps = granted
    evidence = tuple(Evidence(*item) for item in items)
    return Grant(
        tier, event_id, approvers, evidence, granted_ms, expires_ms, review_ms, grace_until_ms, steps, dormant_ms
    )
