"""Payments that were found to be fraud: part of what a customer's history says when a tier is asked for."""

from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.whitelist.dossier import Chargeback, Dossier
from schemas.disposition import Disposition
from schemas.timestamps import MS_PER_DAY, parse_ms

# Older ones say little about who applies today.
YEAR_MS = 365 * MS_PER_DAY
# Nobody with so many is granted anything; what came first is forgotten.
_MOST = 20


def label(disposition: Disposition, dossier: Dossier, arrival_ms: int) -> Dossier:
    """The dossier with a payment, or what an alert is about, labelled; the newest label of each counts.

    One that is `inconclusive` takes a suspicion back, too. What was never suspected is not remembered: where its label
    comes before an older suspicion, the suspicion stays, until somebody says so again.
    """
    about = bytes.fromhex(derived_id(disposition.source, disposition.transaction_id, disposition.alert_id)[:16])
    at_ms = min(parse_ms(disposition.occurred_at), arrival_ms)
    known = next((one for one in dossier.chargebacks if one.about == about), None)
    is_fraud = disposition.label == "fraud"
    if known is not None and (known.labelled_ms, known.is_fraud) > (at_ms, is_fraud):
        return dossier
    others = [one for one in dossier.chargebacks if one.about != about and one.labelled_ms > arrival_ms - YEAR_MS]
    # A label that was taken back is kept, so that an older one that arrives after it says nothing.
    if is_fraud or known is not None:
        others.append(Chargeback(about, at_ms, is_fraud))
    newest = sorted(others, key=lambda one: (one.labelled_ms, one.about))[-_MOST:]
    return replace(dossier, chargebacks=tuple(newest))


def charged_back(dossier: Dossier, at_ms: int) -> int:
    """How many payments of the last year were found to be fraud."""
    return sum(one.is_fraud and one.labelled_ms > at_ms - YEAR_MS for one in dossier.chargebacks)
