"""A dossier's bytes, versioned: what a customer's life on the whitelist is kept as, read for ever."""

from typing import Annotated, Final

import msgspec

from pipeline.whitelist.dossier import (
    EMPTY,
    NEVER,
    NO_BASIS,
    Allowance,
    Application,
    Basis,
    Chargeback,
    Contact,
    Dossier,
    Evidence,
    Filed,
    Grant,
    Lift,
)


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
# What version 4 added: when a credential was last changed.
_AddedV4 = tuple[int]
# What version 5 added: of the application, whether it was stopped. Before, that was a stage of its own, without an end.
_AddedV5 = tuple[bool]
_STAGE_BEFORE_V5 = "stopped"
# What version 6 added: what the grant rests on (before, an application where one had been granted), and lifts.
_BasisV6 = tuple[str, int, int | None, tuple[str, ...]]
_LiftV6 = tuple[str, int, int]
_AddedV6 = tuple[_BasisV6, tuple[_LiftV6, ...]]
# What version 7 added stands before all that: see `restart`.
AHEAD_SIZE: Final = 30
_HEADERS = tuple(bytes((version, 0)) for version in range(1, 8))  # version, flags (reserved)
_V7 = _HEADERS[-1]
_encoder = msgspec.msgpack.Encoder()
_decoder_v1 = msgspec.msgpack.Decoder(_DossierV1)
_decoder_v2 = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2])
_decoder_v3 = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2, _AddedV3])
_decoder_v4 = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2, _AddedV3, _AddedV4])
_decoder_v5 = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2, _AddedV3, _AddedV4, _AddedV5])
_decoder = msgspec.msgpack.Decoder(tuple[_DossierV1, _AddedV2, _AddedV3, _AddedV4, _AddedV5, _AddedV6])
_V2_ADDED_NOTHING: _AddedV2 = 0, (), NEVER, (), None
_V3_ADDED_NOTHING: _AddedV3 = None, None, ()
_V4_ADDED_NOTHING: _AddedV4 = (NEVER,)
_V5_ADDED_NOTHING: _AddedV5 = (False,)


def encode(dossier: Dossier, ahead: bytes) -> bytes | None:
    """The state bytes of a dossier, and before them what a restart asks of it. None, no record, for an empty one."""
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
    application = dossier.application
    body = (
        granted,
        dossier.announced,
        dossier.frozen_since_ms,
        dossier.lowered_ms,
        dossier.applied,
        dossier.suspended_since_ms,
        application and application[:-1],
        dossier.file,
        dossier.contacts,
        dossier.allowances,
        dossier.warned_ms,
    )
    dormant_ms = grant.dormant_ms if grant is not None else 0
    added = dormant_ms, dossier.swept, dossier.active_ms, dossier.failures, dossier.assess_ms
    measured = dossier.measured_ms, dossier.shifted_ms, dossier.chargebacks
    stopped = (application is not None and application.stopped,)
    basis = grant.basis if grant is not None else Basis()
    content = _encoder.encode((body, added, measured, (dossier.credential_ms,), stopped, (basis, dossier.lifts)))
    return b"%b%b%b" % (_V7, ahead, content)


def ahead_of(state: bytes) -> bytes:
    """What a restart asks of a dossier; empty where an earlier version did not tell."""
    return state[2 : 2 + AHEAD_SIZE] if state[:2] == _V7 else b""


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
    added, measured, changed, stopped = _V2_ADDED_NOTHING, _V3_ADDED_NOTHING, _V4_ADDED_NOTHING, _V5_ADDED_NOTHING
    rests: _AddedV6 | None = None
    try:
        if state[0] == 1:
            body = _decoder_v1.decode(state[2:])
        elif state[0] == 2:  # noqa: PLR2004 - the version
            body, added = _decoder_v2.decode(state[2:])
        elif state[0] == 3:  # noqa: PLR2004 - the version
            body, added, measured = _decoder_v3.decode(state[2:])
        elif state[0] == 4:  # noqa: PLR2004 - the version
            body, added, measured, changed = _decoder_v4.decode(state[2:])
        elif state[0] == 5:  # noqa: PLR2004 - the version
            body, added, measured, changed, stopped = _decoder_v5.decode(state[2:])
        else:
            begins = 2 if state[0] == 6 else 2 + AHEAD_SIZE  # noqa: PLR2004 - the version
            body, added, measured, changed, stopped, rests = _decoder.decode(state[begins:])
    except msgspec.DecodeError as error:
        raise UnreadableDossierError(f"a damaged dossier: {error}") from error
    return _dossier(body, added, measured, changed, stopped, rests)


def _basis_before_v6(application: Application | None) -> Basis:
    if application is None or application.stage != "granted":
        return NO_BASIS
    return Basis(application.application_id, application.attempts)


def _dossier(
    body: _DossierV1,
    added: _AddedV2,
    measured: _AddedV3,
    changed: _AddedV4,
    stopped: _AddedV5,
    rests: _AddedV6 | None,
) -> Dossier:
    granted, announced, frozen_since_ms, lowered_ms, applied, suspended_since_ms, applying, file, contacts, *_ = body
    allowances, warned_ms = body[9:]
    dormant_ms, swept, active_ms, failures, assess_ms = added
    measured_ms, shifted_ms, chargebacks = measured
    application = None if applying is None else _application(applying, *stopped)
    basis, lifts = (_basis_before_v6(application), ()) if rests is None else (Basis(*rests[0]), rests[1])
    return Dossier(
        None if granted is None else _grant(granted, dormant_ms, basis),
        announced,
        frozen_since_ms,
        lowered_ms,
        applied,
        suspended_since_ms,
        application,
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
        *changed,
        tuple(Lift(*lift) for lift in lifts),
    )


def _application(fields: _ApplicationV1, stopped: bool) -> Application:  # noqa: FBT001 - as it was read
    application = Application(*fields, stopped)
    if application.stage != _STAGE_BEFORE_V5:
        return application
    return application._replace(stage="doubted", stopped=True)


def _grant(granted: _GrantV1, dormant_ms: int, basis: Basis) -> Grant:
    tier, event_id, approvers, items, granted_ms, expires_ms, review_ms, grace_until_ms, steps = granted
    evidence = tuple(Evidence(*item) for item in items)
    return Grant(
        tier, event_id, approvers, evidence, granted_ms, expires_ms, review_ms, grace_until_ms, steps, dormant_ms, basis
    )
