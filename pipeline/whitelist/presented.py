"""An attestation that an applicant shows: filed like evidence of our own, as far as the policy trusts its issuer."""

from dataclasses import replace

from pipeline.policy.sweeps import revoked
from pipeline.whitelist.attestation import Accepted, accept
from pipeline.whitelist.dossier import Filed
from pipeline.whitelist.evidence import on_file, to_be_warned
from pipeline.whitelist.transition import Case, Change, Refused
from schemas.application_event import AttestationPresented
from schemas.reasons import RefusalReason


def attestation_counts(event: AttestationPresented, case: Case) -> Refused | None:
    """Its issuer is trusted and signed it, for us, for this customer and application, for now, once; and it is news."""
    accepted = _accept(event, case)
    if isinstance(accepted, Refused):
        return accepted
    if _newer(accepted, case):
        return None
    return Refused(
        RefusalReason.OLDER_THAN_KNOWN,
        f"all that {accepted.issuer}/{accepted.attestation_id} attests is on file, or newer",
    )


def put_attested(event: AttestationPresented, case: Case) -> Change:
    """File what it stands in for, unless something newer is on file."""
    accepted = _accept(event, case)
    if isinstance(accepted, Refused):
        return Change(case.dossier)
    new = _newer(accepted, case)
    kinds = {filed.kind for filed in new}
    others = [filed for filed in case.dossier.file if filed.kind not in kinds]
    after = replace(case.dossier, file=tuple(sorted((*others, *new))))
    return Change(to_be_warned(after, *(filed.expires_ms for filed in new)))


def _newer(accepted: Accepted, case: Case) -> list[Filed]:
    """What it stands in for, and nothing newer on file does."""
    return [
        Filed(
            one.kind,
            one.reference,
            one.issued_ms,
            case.occurred_ms,
            one.expires_ms,
            accepted.issuer,
            (("attested_by", accepted.issuer),),
        )
        for one in accepted.evidence
        if (known := on_file(case.dossier, one.kind)) is None
        or (one.issued_ms, case.occurred_ms) >= (known.issued_ms, known.filed_ms)
    ]


def _accept(event: AttestationPresented, case: Case) -> Accepted | Refused:
    gone = revoked(case.sweeps, case.arrival_ms)
    known = frozenset(filed.reference for filed in case.dossier.file)
    return accept(event.token, event.application_id, event.customer_id, case.policy, case.arrival_ms, known, gone)
