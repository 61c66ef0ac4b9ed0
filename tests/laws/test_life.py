"""Nobody is privileged but by approval, whatever happens."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.whitelist import table
from pipeline.whitelist.allowances import limits_of
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import tier_at
from pipeline.whitelist.dossier_bytes import decode
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.on_time import due
from pipeline.whitelist.restart import state_of as state_bytes_of
from pipeline.whitelist.table import state_of
from pipeline.whitelist.tiers import tier_in_force
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR
from tests.laws.life_told import CONDUCT, CUSTOMER, KINDS, MAKE, ODD, POLICY, START, Fields, Now, first_told, privileges

YEAR_MS = 365 * MS_PER_DAY


def no_draw(_: st.SearchStrategy[object]) -> object:
    raise AssertionError("nothing about it is left to chance")


class Life(RuleBasedStateMachine):
    """A customer to whom anything may happen, in the order in which it occurs."""

    def __init__(self) -> None:
        super().__init__()
        self.told = first_told()
        self.now_ms = START
        self.number = 0
        self.approved: dict[str, tuple[str, ...]] = {}

    def tell(self, fields: Fields) -> bool:
        before = self.told.dossier
        is_applied = self.told.tell(fields, self.now_ms)
        after = self.told.dossier
        if before.suspended_since_ms is not None and after.suspended_since_ms is None:
            assert fields["event_type"] == "tier.reinstated"
        if before.frozen and not after.frozen:
            assert fields["event_type"] == "account.unfrozen"
        return is_applied

    @rule(kind=st.sampled_from(KINDS), data=st.data(), hours=st.sampled_from((1, 5, 30)))
    def happens(self, kind: str, data: st.DataObject, hours: int) -> None:
        self.now_ms += hours * MS_PER_HOUR
        self.number += 1
        fields = MAKE[kind](data.draw, Now(self.now_ms, self.number, self.told.dossier, self.told.asked))
        if kind in {"admit", "admit_applicant"}:
            people = (fields["actor"], *(one["person"] for one in fields["countersignatures"]))
            self.approved[fields["event_id"]] = people
        self.tell(fields)

    @rule(kind=st.sampled_from(("suspend", "remove", "freeze")), ahead_ms=st.sampled_from((MS_PER_HOUR, YEAR_MS)))
    def somebody_lowers_by_a_fast_clock(self, kind: str, ahead_ms: int) -> None:
        self.number += 1
        now = Now(self.now_ms + ahead_ms, self.number, self.told.dossier, self.told.asked)
        assert self.tell(MAKE[kind](no_draw, now))
        rank, _, _, passes = privileges(self.told.dossier, self.now_ms)
        assert not passes if kind == "freeze" else rank == 0
        assert self.told.dossier.lowered_ms <= self.now_ms + POLICY.skew_ms

    @rule(data=st.data())
    def goes_well(self, data: st.DataObject) -> None:
        """All that leads to a tier, so that walks come further than chance would take them."""
        for kind in ("submit", "identity", "credit", "screening", "answer", "admit_applicant"):
            self.happens(kind, data, 1)

    @rule(days=st.sampled_from((1, 4, 20, 90)), conduct=st.sampled_from((CONDUCT, ODD)))
    def time_passes(self, days: int, conduct: Conduct) -> None:
        self.now_ms += days * MS_PER_DAY
        self.told.look(self.now_ms, conduct)

    @invariant()
    def no_tier_without_its_grounds(self) -> None:
        dossier, now_ms = self.told.dossier, self.now_ms
        if tier_at(dossier, now_ms) is None:
            assert privileges(dossier, now_ms)[:3] == (0, dict(POLICY.tiers[0].limits), set())
            return
        tier, grant = tier_in_force(dossier, POLICY, now_ms), dossier.grant
        assert grant is not None
        assert grant.approvers == self.approved[grant.event_id]
        assert len(set(grant.approvers)) >= tier.approvals >= 1
        assert grant.evidence
        assert now_ms < grant.grace_until_ms <= grant.expires_ms
        assert grant.review_ms < grant.expires_ms

    @invariant()
    def whoever_left_their_profile_proves_more_until_a_newer_grant(self) -> None:
        dossier, base = self.told.dossier, POLICY.tiers[0]
        tier = tier_in_force(dossier, POLICY, self.now_ms)
        trusted = dossier.grant is None or dossier.grant.granted_ms > self.told.doubted_ms
        proves = entitlement(CUSTOMER, dossier, POLICY, self.now_ms).authentication
        assert proves == (tier if trusted else base).authentication

    @invariant()
    def no_limit_is_above_the_ceiling(self) -> None:
        tier = tier_in_force(self.told.dossier, POLICY, self.now_ms)
        limits_now = limits_of(self.told.dossier, tier, self.now_ms)
        assert all(limit <= tier.limits[name] * tier.ceiling_pct // 100 for name, limit in limits_now.items())

    @invariant()
    def the_state_is_one_of_the_table(self) -> None:
        for region, states in table.STATES.items():
            assert state_of(region, self.told.dossier, self.now_ms) in states

    @invariant()
    def the_dossier_round_trips(self) -> None:
        assert decode(state_bytes_of("c", self.told.dossier)) == self.told.dossier

    @invariant()
    def nothing_that_is_due_is_behind(self) -> None:
        self.told.look(self.now_ms)
        moment = due(CUSTOMER, self.told.dossier)
        assert moment is None or moment > self.now_ms


TestLife = Life.TestCase
