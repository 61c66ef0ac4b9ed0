"""An attestation that an applicant shows: filed like evidence of our own, as far as the policy trusts its issuer."""

from dataclasses import replace

from pipeline.policy.sweeps import revoked
from pipeline.whitelist.attestation import Accepted, accept
from pipeline.whitelist.dossier import Filed
from pipeline.whitelist.evidence import on_file
from pipeline.whitelist.transition import Case, Change, Refused
from schemas.application_event import AttestationPresented


def attestation_counts(event: AttestationPresented, case: Case) -> Refused | None:
    """Its issuer is trusted and signed it, for us, for this application, for now, and once."""
    accepted = _accept(event, case)
    return accepted if isinstance(accepted, Refused) else None


def put_attested(event: AttestationPresented, case: Case) -> Change:
    """File what it stands in for, unless something newer is on file."""
    accepted = _accept(event, case)
    if isinstance(accepted, Refused):
        return Change(case.dossier)
    new = [
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
    kinds = {filed.kind for filed in new}
    others = [filed for filed in case.dossier.file if filed.kind not in kinds]
    return Change(replace(case.dossier, file=tuple(sorted((*others, *new)))))


def _accept(event: AttestationPresented, case: Case) -> Accepted | Refused:
    gone = revoked(case.sweeps, case.arrival_ms)
    known = frozenset(filed.reference for filed in case.dossier.file)
    return accept(event.token, event.application_id, case.policy, case.arrival_ms, known, gone)
