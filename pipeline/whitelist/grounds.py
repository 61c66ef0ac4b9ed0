"""What a request for a review brings along: the evidence since the last one, for whoever has to look."""

from pipeline.whitelist.chargebacks import charged_back
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier
from schemas.re_review import FiledSince, Since
from schemas.timestamps import format_ms


def since_review(dossier: Dossier, conduct: Conduct, at_ms: int) -> Since | None:
    """What is known to have happened since the grant was given; None without one."""
    grant = dossier.grant
    if grant is None:
        return None
    newer = [filed for filed in dossier.file if filed.filed_ms > grant.granted_ms]
    return Since(
        since=format_ms(grant.granted_ms),
        filed=tuple(
            FiledSince(kind=one.kind, reference=one.reference, filed_at=format_ms(one.filed_ms)) for one in newer
        ),
        alerted_at=_after(conduct.alerted_ms, grant.granted_ms),
        trust_lowered_at=_after(dossier.shifted_ms, grant.granted_ms),
        transactions_30d=conduct.transactions_30d,
        chargebacks=charged_back(dossier, at_ms),
    )


def _after(moment_ms: int | None, since_ms: int) -> str | None:
    return None if moment_ms is None or moment_ms <= since_ms else format_ms(moment_ms)
