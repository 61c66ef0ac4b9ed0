"""The double entry beside the worker: what does not balance is told, and what balances is not."""

import msgspec
import pytest

from load_tests.ledger import Ledger, Place
from load_tests.life_ledger import LifeLedger, Request
from schemas.audit import AuditEntry
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.journal import InputRange, JournalRecord
from schemas.reasons import DeadLetterReason, RefusalReason


def told(number: int, source: str = "card-network") -> bytes:
    return msgspec.json.encode({"transaction_id": f"t-{number}", "customer_id": "c-1", "source": source, "amount": 1})


def decided(number: int) -> Decision:
    return Decision(
        decision_id=f"d-{number}",
        transaction_id=f"t-{number}",
        source="card-network",
        customer_id="c-1",
        occurred_at="2026-11-22T00:00:00.000Z",
        arrived_at="2026-11-22T00:00:00.000Z",
        outcome="pass",
        tier="base",
        score=0,
        lane="standard",
        policy_version=1,
        policy_hash="",
        signals=(),
        base_tier_signals=(),
    )


def dead(offset: int) -> DeadLetter:
    return DeadLetter(DeadLetterReason.NOT_JSON, "", "transactions", 0, offset, 0)


def journalled(first: int, end: int) -> JournalRecord:
    return JournalRecord(
        partition=0,
        inputs=(InputRange(topic="transactions", first=first, next=end, count=end - first),),
        policy_version=1,
        policy_hash="",
        policies_next=0,
        rates_next=0,
        engine_version="",
    )


@pytest.fixture
def balanced() -> Ledger:
    """Two transactions, one of them told twice, and one that is broken."""
    ledger = Ledger()
    for offset, value in enumerate((told(1), told(2), told(1), b'{"transaction')):
        ledger.transaction(Place("transactions", 0, offset), value)
    ledger.decision(decided(1))
    ledger.decision(decided(2))
    ledger.dead_letter(dead(3))
    ledger.journal(journalled(0, 2))
    ledger.journal(journalled(2, 4))
    return ledger


def test_books_that_balance(balanced: Ledger) -> None:
    assert list(balanced.problems()) == []
    assert balanced.summary(1.26) == {
        "transactions": 4,
        "decisions": 2,
        "duplicates": 1,
        "alerts": 0,
        "re_reviews": 0,
        "dead_letters": 1,
        "seconds": 1.3,
        "life": {"steps": {}, "requests": {}},
    }


def test_a_record_without_an_outcome(balanced: Ledger) -> None:
    balanced.transaction(Place("transactions", 0, 4), told(3))
    problems = "\n".join(balanced.problems())
    assert "5 transactions, but 4 outcomes" in problems
    assert "1 without a decision, such as card-network/t-3" in problems
    assert "the journal took 4" in problems


def test_a_decision_too_many(balanced: Ledger) -> None:
    balanced.decision(decided(2))
    assert "1 decided more than once, such as card-network/t-2" in "\n".join(balanced.problems())


def test_a_decision_out_of_nothing_does_not_make_up_for_a_lost_one(balanced: Ledger) -> None:
    balanced.transaction(Place("transactions", 0, 4), told(3))
    balanced.decision(decided(4))
    problems = "\n".join(balanced.problems())
    assert "without a decision, such as card-network/t-3" in problems
    assert "decided, but never told, such as card-network/t-4" in problems


def test_the_same_id_from_another_source_is_another_transaction(balanced: Ledger) -> None:
    balanced.transaction(Place("transactions", 0, 4), told(1, "atm-network"))
    assert balanced.duplicates == 1


@pytest.mark.parametrize("dead_first", [True, False])
def test_a_conflicting_second_telling_is_a_dead_letter_and_no_duplicate(dead_first: bool) -> None:  # noqa: FBT001
    ledger = Ledger()
    ledger.transaction(Place("transactions", 0, 0), told(1))
    if dead_first:
        ledger.dead_letter(dead(1))
    ledger.transaction(Place("transactions", 0, 1), told(1))
    if not dead_first:
        ledger.dead_letter(dead(1))
    assert (ledger.duplicates, ledger.dead) == (0, 1)


def test_two_dead_letters_for_one_record(balanced: Ledger) -> None:
    balanced.dead_letter(dead(3))
    assert "two dead letters for one record: transactions/0 offset 3" in "\n".join(balanced.problems())


def test_broken_bytes_that_nobody_put_aside(balanced: Ledger) -> None:
    balanced.transaction(Place("transactions", 0, 4), b"\xff")
    assert "1 unreadable, but no dead letter, such as transactions/0 offset 4" in "\n".join(balanced.problems())


@pytest.mark.parametrize("first, end", [(5, 6), (3, 5)])
def test_a_journal_with_a_gap_or_an_overlap(balanced: Ledger, first: int, end: int) -> None:
    balanced.journal(journalled(first, end))
    assert f"the journal of transactions/0 goes from 4 to {first}" in "\n".join(balanced.problems())


def test_dead_letters_of_other_topics_are_not_part_of_the_books(balanced: Ledger) -> None:
    balanced.dead_letter(dead(9)._replace(topic="customer-events"))
    assert list(balanced.problems()) == []


def entry(what: str, reason: RefusalReason | None = None) -> AuditEntry:
    return AuditEntry(
        entry_id="e-1",
        subject="c-1",
        what=what,
        actor="ana",
        result="applied" if reason is None else "refused",
        at="2026-11-22T00:00:00.000Z",
        reason=reason,
    )


def test_lives_are_counted_by_step_and_by_what_somebody_was_asked() -> None:
    life = LifeLedger()
    for what in ("application.submitted", "application.pre_approved", "payee.added", "review.demoted"):
        life.audit(entry(what))
    for request in (Request("request", "periodic"), Request("reminder", "periodic"), Request()):
        life.request(request)
    assert list(life.problems(2)) == []
    assert life.summary() == {
        "steps": {"application.pre_approved": 1, "application.submitted": 1, "review.demoted": 1},
        "requests": {"call_back": 1, "periodic": 1, "reminder": 1},
    }


def test_a_customer_event_without_an_outcome_is_told_and_so_is_one_refused() -> None:
    life = LifeLedger()
    life.audit(entry("tier.reinstated", RefusalReason.NOT_NOW))
    assert list(life.problems(2)) == [
        "2 customer events taken, but 1 of them stand on the audit or are dead",
        "1 refused, tier.reinstated: not_now",
    ]
