"""The file: evidence of each kind, and what it lacks for a tier."""

from dataclasses import replace
from typing import Literal, NamedTuple, assert_never

from pipeline.policy.model import Policy, Tier
from pipeline.whitelist.chargebacks import charged_back
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier, Filed
from pipeline.whitelist.transition import Case, Change, Refused
from schemas.application_event import CreditAssessed, IdentityVerified, ScreeningCompleted, SourceOfFundsVerified
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms, parse_ms

EvidenceEvent = IdentityVerified | CreditAssessed | ScreeningCompleted | SourceOfFundsVerified
Why = Literal["missing", "expired", "below_criteria"]


class Lack(NamedTuple):
    """What a file lacks for a tier, and why what is there does not do."""

    what: str
    why: Why


def not_from_the_future(event: EvidenceEvent, case: Case) -> Refused | None:
    """The evidence is not dated after the event that brings it."""
    if parse_ms(event.issued_at) <= case.occurred_ms:
        return None
    return Refused(RefusalReason.EVIDENCE_FROM_THE_FUTURE, "$.issued_at is after the event")


def newest_of_its_kind(event: EvidenceEvent, case: Case) -> Refused | None:
    """Nothing newer of its kind is on file; of two of one date, the newer is what was filed later."""
    known = on_file(case.dossier, kind_of(event))
    if known is None or (_issued_ms(event, case), case.occurred_ms) >= (known.issued_ms, known.filed_ms):
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{known.kind} of {format_ms(known.issued_ms)} is on file")


def nothing_filed_since(_event: object, case: Case) -> Refused | None:
    """Nothing was filed after it: nobody knows any more who gathered what stood there before."""
    newest = max(case.dossier.file, key=lambda filed: filed.filed_ms, default=None)
    if newest is None or newest.filed_ms <= case.occurred_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{newest.kind} was filed at {format_ms(newest.filed_ms)}")


def put(event: EvidenceEvent, case: Case) -> Change:
    """File it in the place of the one before."""
    filed = Filed(
        kind_of(event),
        event.reference,
        _issued_ms(event, case),
        case.occurred_ms,
        None if event.expires_at is None else parse_ms(event.expires_at),
        event.actor,
        _facts(event),
    )
    others = tuple(one for one in case.dossier.file if one.kind != filed.kind)
    return Change(to_be_warned(replace(case.dossier, file=tuple(sorted((*others, filed)))), filed.expires_ms))


def _issued_ms(event: EvidenceEvent, case: Case) -> int:
    """A hit counts whatever its date, but none is so new that no later check could clear it."""
    return min(parse_ms(event.issued_at), case.occurred_ms)


def to_be_warned(dossier: Dossier, *ends_ms: int | None) -> Dossier:
    """The dossier when evidence was added: of its end, too, it is warned, even where one after that was told before."""
    return replace(dossier, warned_ms=min([dossier.warned_ms, *(end - 1 for end in ends_ms if end is not None)]))


def put_hit(event: ScreeningCompleted, case: Case) -> Change:
    """File a hit unless something newer is on file; either way nothing older than it may raise any more."""
    dossier = put_if_newest(event, case)
    return Change(replace(dossier, lowered_ms=max(dossier.lowered_ms, case.occurred_ms)))


def put_if_newest(event: EvidenceEvent, case: Case) -> Dossier:
    """The dossier with it on file, unless something newer is."""
    return put(event, case).dossier if newest_of_its_kind(event, case) is None else case.dossier


def kind_of(event: EvidenceEvent) -> str:
    """The kind of evidence that an event brings."""
    match event:
        case IdentityVerified():
            return "identity"
        case CreditAssessed():
            return "credit"
        case ScreeningCompleted():
            return "screening"
        case SourceOfFundsVerified():
            return "source_of_funds"
        case _:
            assert_never(event)


def _facts(event: EvidenceEvent) -> tuple[tuple[str, str | int], ...]:
    match event:
        case IdentityVerified():
            return ("document_kind", event.document_kind), ("method", event.method)
        case CreditAssessed():
            return ("bureau", event.bureau), ("delinquencies", event.delinquencies), ("score", event.score)
        case ScreeningCompleted():
            return ("list_version", event.list_version), ("result", event.result)
        case SourceOfFundsVerified():
            return (("source", event.source),)
        case _:
            assert_never(event)


def on_file(dossier: Dossier, kind: str) -> Filed | None:
    """The evidence of a kind, None where there is none."""
    return next((filed for filed in dossier.file if filed.kind == kind), None)


def lacks_by(dossier: Dossier, tier: Tier, conduct: Conduct, known_by_ms: int, at_ms: int) -> tuple[Lack, ...]:
    """What keeps a file from carrying a tier at a moment, without the evidence filed after `known_by_ms`."""
    known = tuple(filed for filed in dossier.file if filed.filed_ms <= known_by_ms)
    return lacks(replace(dossier, file=known), tier, conduct, at_ms)


def lacks(dossier: Dossier, tier: Tier, conduct: Conduct, at_ms: int) -> tuple[Lack, ...]:
    """What keeps a file from carrying a tier at a moment; nothing where the tier has no criteria."""
    criteria = tier.criteria
    if criteria is None:
        return ()
    found = [Lack(kind, why) for kind in criteria.evidence if (why := _wanting(on_file(dossier, kind), at_ms))]
    credit = dict(filed.facts) if (filed := on_file(dossier, "credit")) else {}
    score, delinquencies = int(credit.get("score", 1_000)), int(credit.get("delinquencies", 0))
    if score < criteria.credit_score or delinquencies > criteria.delinquencies:
        found.append(Lack("credit", "below_criteria"))
    if conduct.transactions_30d < criteria.transactions_30d:
        found.append(Lack("transactions_30d", "below_criteria"))
    if conduct.amount_30d < criteria.amount_30d:
        found.append(Lack("amount_30d", "below_criteria"))
    if conduct.active_weeks < criteria.active_weeks:
        found.append(Lack("active_weeks", "below_criteria"))
    if charged_back(dossier, at_ms) > criteria.chargebacks:
        found.append(Lack("chargebacks", "below_criteria"))
    if conduct.alerted_ms is not None and at_ms - conduct.alerted_ms < criteria.quiet_ms:
        found.append(Lack("quiet", "below_criteria"))
    return tuple(dict.fromkeys(found))


def _wanting(filed: Filed | None, at_ms: int) -> Why | None:
    if filed is None:
        return "missing"
    if filed.expires_ms is not None and filed.expires_ms <= at_ms:
        return "expired"
    return "below_criteria" if dict(filed.facts).get("result", "clear") != "clear" else None


def carried(dossier: Dossier, policy: Policy, conduct: Conduct, at_ms: int) -> Tier:
    """The highest tier that the file carries; the base tier asks for nothing."""
    fits = [tier for tier in policy.tiers[1:] if tier.criteria and not lacks(dossier, tier, conduct, at_ms)]
    return fits[-1] if fits else policy.tiers[0]


def without_hit(dossier: Dossier) -> Dossier:
    """The dossier as if its screening had found nobody."""
    filed = on_file(dossier, "screening")
    if filed is None or not has_hit(dossier):
        return dossier
    clear = filed._replace(facts=tuple(sorted({**dict(filed.facts), "result": "clear"}.items())))
    return replace(dossier, file=tuple(clear if one is filed else one for one in dossier.file))


def has_hit(dossier: Dossier) -> bool:
    """Whether the newest screening found the customer on a list."""
    filed = on_file(dossier, "screening")
    return filed is not None and dict(filed.facts).get("result") == "hit"
