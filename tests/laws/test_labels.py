"""Labels by their laws: what an entity is told against a plain count, and of a payment's labels the newest holds."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from pipeline.beside import Beside
from pipeline.entities.ledger import EMPTY, MOST, WINDOW_MS, Finding, Ledger, learn, look, next_ms
from pipeline.entities.ledger_bytes import VERSION, decode, encode
from pipeline.labels import asked_bytes
from pipeline.labels.desk import Desk, Heard
from pipeline.labels.verdict import FRAUD
from pipeline.policy.labels import Labels
from schemas.codec import decode_entity_label
from schemas.disposition import Disposition, Label, Status
from schemas.entity_label import EntityLabel
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms

NOW = 1_800_000_000_000
ONCE = Labels(fraud_ms=0, genuine_ms=0)


@st.composite
def entity_labels(draw: st.DrawFn) -> tuple[int, EntityLabel]:
    """A label and when it arrives; few payments, so that they meet again."""
    payment = draw(st.integers(0, 4))
    arrival = NOW + draw(st.integers(0, 40)) * MS_PER_DAY
    label: Label = draw(st.sampled_from(("fraud", "genuine", "inconclusive")))
    said = EntityLabel(
        kind="terminal",
        value="t-1",
        payment=f"{payment:016x}",
        customer=f"{payment % 3:016x}",
        paid_at=format_ms(NOW - payment * 7 * MS_PER_DAY),
        label=label,
        weight=0 if label == "inconclusive" else draw(st.sampled_from((50, 100))),
        matures_at=format_ms(arrival + draw(st.sampled_from((0, 1, MS_PER_HOUR, 7 * MS_PER_DAY)))),
    )
    return arrival, said


def told_by_hand(said: list[EntityLabel], at_ms: int) -> tuple[int, int, int]:
    """Count anew what the newest label of each payment says."""
    newest = {each.payment: each for each in said}.values()
    counts = [
        each
        for each in newest
        if each.weight and parse_ms(each.matures_at) <= at_ms < parse_ms(each.paid_at) + WINDOW_MS
    ]
    frauds = [each for each in counts if each.label == "fraud"]
    if not frauds:
        return 0, 0, 0
    weights = sum(each.weight for each in frauds), sum(each.weight for each in counts)
    return *weights, len({each.customer for each in frauds})


@given(st.lists(entity_labels(), max_size=12), st.integers(0, 80))
def test_an_entity_is_told_what_its_newest_labels_count_to(said: list[tuple[int, EntityLabel]], days: int) -> None:
    ledger = EMPTY
    said = sorted(said, key=lambda each: each[0])
    for arrival, label in said:
        ledger = decode(encode(look(learn(ledger, label), arrival)))
    at_ms = max([arrival for arrival, _ in said], default=NOW) + days * MS_PER_DAY
    told = look(ledger, at_ms).told
    assert (told.frauds, told.labelled, told.customers) == told_by_hand([label for _, label in said], at_ms)


@given(st.lists(entity_labels(), max_size=12))
def test_whoever_looks_when_it_is_due_misses_nothing(said: list[tuple[int, EntityLabel]]) -> None:
    ledger = EMPTY
    for arrival, label in sorted(said, key=lambda each: each[0]):
        ledger = look(learn(ledger, label), arrival)
    while (due := next_ms(ledger)) is not None:
        assert due > ledger.looked_ms
        for between in (ledger.looked_ms, (ledger.looked_ms + due) // 2, due - 1):
            assert look(ledger, between).told == ledger.told
        ledger = look(ledger, due)
    assert ledger == Ledger(looked_ms=ledger.looked_ms)
    assert encode(ledger) is None


def test_an_entity_keeps_the_newest_of_many() -> None:
    ledger = EMPTY
    for number in range(MOST + 5):
        said = EntityLabel(
            kind="payee", value="p-1", payment=f"{number:016x}", customer="0" * 16,
            paid_at=format_ms(NOW + number), label="fraud", weight=100, matures_at=format_ms(NOW),
        )  # fmt: skip
        ledger = learn(ledger, said)
    assert [each.paid_ms - NOW for each in ledger.labels] == list(range(5, MOST + 5))


def never(_: int) -> bool:
    return False


def heard(desk: Desk, number: int, label: Label, status: Status, said_ms: int, arrival_ms: int, **more: str) -> Heard:
    said = Disposition(
        disposition_id=f"d-{number}", customer_id="c-1", occurred_at=format_ms(said_ms), actor="ana", label=label,
        status=status, transaction_id="t-1", source="processor-1", paid_at=format_ms(NOW), merchant_id="m-1", **more,
    )  # fmt: skip
    return desk.hear(b"c-1", said, ONCE, arrival_ms, never)


Said = tuple[Label, Status, int]
said_labels = st.lists(
    st.tuples(
        st.sampled_from(("fraud", "genuine", "inconclusive")), st.sampled_from(("provisional", "final")),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@given(said_labels, st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_the_newest_label_of_a_payment_holds(said: list[Said], order: object) -> None:
    def last(labels: list[Said]) -> tuple[int, int]:
        desk = Desk(Beside(lambda _: None))
        for number, (label, status, at) in enumerate(labels):
            heard(desk, number, label, status, NOW + at, NOW + MS_PER_HOUR)
        (asked,) = desk.known(b"c-1")
        return asked.verdict.label, asked.verdict.weight

    shuffled = list(said)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert last(said) == last(shuffled)


def test_a_label_goes_where_the_payment_went_and_its_withdrawal_follows() -> None:
    desk = Desk(Beside(lambda _: None))
    first = heard(desk, 1, "fraud", "final", NOW, NOW + 1, device_id="d-1")
    assert [each.key for each in first.messages] == [b"merchant/m-1", b"device/d-1"]
    again = heard(desk, 1, "fraud", "final", NOW, NOW + 2, device_id="d-1")
    assert (again.result, again.messages) == ("superseded", [])
    gone = heard(desk, 2, "inconclusive", "provisional", NOW + 1, NOW + 3)
    assert (gone.result, [each.key for each in gone.messages]) == ("withdrawn", [b"merchant/m-1", b"device/d-1"])


def test_a_label_tells_whether_the_customer_s_own_spike_explains_it_and_does_not_forget_that() -> None:
    desk = Desk(Beside(lambda _: None))

    def told(label: Label, at_ms: int, is_spike: Callable[[int], bool]) -> list[bool]:
        said = Disposition(
            disposition_id=f"d-{at_ms}", customer_id="c-1", occurred_at=format_ms(at_ms), actor="ana", label=label,
            status="final", transaction_id="t-1", source="p", paid_at=format_ms(NOW), terminal_id="t-9",
        )  # fmt: skip
        heard = desk.hear(b"c-1", said, ONCE, at_ms, is_spike)
        return [decode_entity_label(each.value or b"").message.spike for each in heard.messages]

    assert told("fraud", NOW + 1, never) == [False]
    assert told("genuine", NOW + 2, lambda paid_ms: paid_ms == NOW) == [True]
    assert told("fraud", NOW + 3, never) == [True]


def test_what_was_kept_before_anybody_told_of_spikes_is_still_read() -> None:
    kept = msgpack.encode([[[b"p" * 8, b"c" * 8, NOW, FRAUD, 100, NOW]], [100, 100, 1, NOW + WINDOW_MS], NOW])
    ledger = decode(VERSION + kept)
    assert look(ledger, NOW).told == Finding(100, 100, 1, NOW + WINDOW_MS, streak=100, began_ms=NOW)
    asked = msgpack.encode([[b"p" * 8, NOW, 3, ["burst"], ["t-1", "", "", ""], [FRAUD, 100, NOW, NOW]]])
    assert not asked_bytes.decode(asked_bytes.VERSION + asked)[0].spike


def test_of_a_payment_that_nobody_knows_a_label_teaches_nothing() -> None:
    said = Disposition(
        disposition_id="d-1", customer_id="c-1", occurred_at=format_ms(NOW), actor="ana", label="fraud",
        status="final", alert_id="nobody's",
    )  # fmt: skip
    desk = Desk(Beside(lambda _: None))
    assert desk.hear(b"c-1", said, ONCE, NOW, never) == Heard("unknown", [])
    assert desk.known(b"c-1") == ()
