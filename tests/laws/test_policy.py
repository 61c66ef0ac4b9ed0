"""Laws of the policy: every score ends in one outcome, reading is total, nothing changes for what has arrived."""

from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from pathlib import Path

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import Amount, format_amount
from pipeline.policy.durations import Duration, format_duration
from pipeline.policy.load import PolicyError, default_yaml, load_policy
from pipeline.policy.model import Policy
from pipeline.policy.nodes import Mapping, Node, Scalar, Sequence, read_document
from pipeline.policy.problems import Problem
from pipeline.policy.reading import Reading
from pipeline.policy.versions import Versions
from pipeline.rates import Rates
from schemas.decision import OUTCOMES, Outcome
from schemas.rate import Rate
from schemas.timestamps import MS_PER_DAY

SMALL = (Path(__file__).parents[1] / "policies" / "small.yaml").read_text()
BEFORE_BANDS, AFTER_BANDS = SMALL[: SMALL.index("bands:\n")], SMALL[SMALL.index("outcomes:\n") :]
EVERY_SCORE = Counter(range(110))
ANY_TEXT = st.text(max_size=60)

Bands = list[tuple[int, int, Outcome]]


def read(data: bytes) -> Policy | list[Problem]:
    try:
        return load_policy(data)
    except PolicyError as refused:
        return refused.problems


@st.composite
def any_bands(draw: st.DrawFn) -> Bands:
    """Proper bands, spoilt in half of the cases."""
    cuts = sorted({0, 110, *draw(st.lists(st.integers(1, 109), max_size=5))})
    outcomes = sorted(draw(st.lists(st.sampled_from(OUTCOMES), min_size=7, max_size=7)), key=OUTCOMES.index)
    bands = [(low, high - 1, outcome) for (low, high), outcome in zip(pairwise(cuts), outcomes, strict=False)]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(bands) - 1))
        low, high, outcome = bands[at]
        low = draw(st.just(low) | st.integers(-1, 110))
        high = draw(st.just(high) | st.integers(-1, 110))
        bands[at] = low, high, draw(st.just(outcome) | st.sampled_from(OUTCOMES))
    return bands


@given(any_bands())
@settings(max_examples=60, deadline=None)
def test_bands_of_an_accepted_policy_cover_every_score_once(bands: Bands) -> None:
    text = "".join(f"  - {{low: {low}, high: {high}, outcome: {outcome}}}\n" for low, high, outcome in bands)
    # A limit that would end in pass is another matter.
    head = BEFORE_BANDS.replace("floor: challenge", "floor: review")
    covered = Counter(score for low, high, _ in bands for score in range(low, high + 1))
    harsher = [OUTCOMES.index(outcome) for _, _, outcome in bands]
    proper = (
        covered == EVERY_SCORE
        and all(0 <= low <= high for low, high, _ in bands)
        and [low for low, _, _ in bands] == sorted(low for low, _, _ in bands)
        and harsher == sorted(harsher)
    )
    result = read((head + "bands:\n" + text + AFTER_BANDS).encode())
    if isinstance(result, Policy):
        assert Counter(score for band in result.bands for score in range(band.low, band.high + 1)) == EVERY_SCORE
    else:
        assert all(problem.path.startswith("bands") for problem in result)
    assert isinstance(result, Policy) == proper


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """A good policy after a few accidents with an editor."""
    text = draw(st.sampled_from([SMALL, default_yaml().decode()]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 30)))
        put = draw(
            ANY_TEXT | st.sampled_from(["\t", "\n", "- ", ": ", "{", "[", "&a ", "*a", "!!", "'", '"', "|\n", "#"])
        )
        text = text[:at] + put + text[until:]
    return text.encode(errors="surrogatepass")


@given(st.binary(max_size=300) | ANY_TEXT.map(str.encode) | mutilated())
@example(b"")
@example(b"\xff")
@example(b"a: &a [*a]")
@settings(max_examples=120, deadline=3_000)
def test_reading_any_bytes_gives_a_policy_or_problems_with_places(data: bytes) -> None:
    result = read(data)
    if isinstance(result, Policy):
        return
    assert result
    assert result == sorted(set(result))
    ends = len(data.decode(errors="replace").splitlines()) + 1
    assert all(1 <= problem.line <= ends and problem.column >= 1 for problem in result)
    assert all(problem.message for problem in result)


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [leaf for item in node.items for leaf in scalars(item)]
    return (
        [leaf for entry in node.entries.values() for leaf in scalars(entry.node)] if isinstance(node, Mapping) else []
    )


LEAVES = [leaf for leaf in scalars(read_document(SMALL.encode()).root) if leaf.text]


@given(st.sampled_from(LEAVES))
@settings(max_examples=60, deadline=None)
def test_a_value_that_cannot_be_read_is_the_only_problem_and_stands_at_its_place(leaf: Scalar) -> None:
    """What else would follow from the value is not told: mending one place mends the file."""
    lines = SMALL.split("\n")
    line, column = leaf.mark.line - 1, leaf.mark.column - 1
    lines[line] = f"{lines[line][:column]}'\x85'{lines[line][column + len(leaf.text) :]}"
    result = read("\n".join(lines).encode())
    assert isinstance(result, list)
    assert {(problem.line, problem.column) for problem in result} == {tuple(leaf.mark)}


@given(st.integers(0, 10**15 - 1), st.sampled_from([0, 2, 3, 4]))
def test_amounts_read_back_what_was_written(minor: int, exponent: int) -> None:
    assert (
        Amount().parse(format_amount(minor, exponent), Reading(Scalar("", plain=True, mark=LEAVES[0].mark), exponent))
        == minor
    )


@given(st.integers(-(10**6), 10**6).map(lambda seconds: seconds * 1000))
def test_durations_read_back_what_was_written(duration_ms: int) -> None:
    reading = Reading(Scalar("", plain=True, mark=LEAVES[0].mark), 2)
    assert Duration(-(10**9), 10**9).parse(format_duration(duration_ms), reading) == duration_ms


FIRST = load_policy(SMALL.encode())
APPROVALS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60)), max_size=8)


@given(APPROVALS, st.integers(-5, 120))
def test_in_force_is_the_last_approved_of_those_effective(approvals: list[tuple[int, int]], arrival_ms: int) -> None:
    versions = Versions(FIRST)
    history = [(-(10**9), FIRST)]
    for number, (_, effective_ms) in enumerate(approvals, start=2):
        policy = msgspec.structs.replace(FIRST, version=number)
        versions.approve(policy, effective_ms)
        history.append((effective_ms, policy))
    assert versions.at(arrival_ms) is [policy for since_ms, policy in history if since_ms <= arrival_ms][-1]


@given(APPROVALS)
def test_an_approval_changes_nothing_for_what_arrives_before_it_takes_effect(approvals: list[tuple[int, int]]) -> None:
    versions = Versions(FIRST)
    now_ms = 0
    for number, (later_ms, ahead_ms) in enumerate(approvals, start=2):
        now_ms += later_ms
        effective_ms = now_ms + 5 + ahead_ms
        before = [versions.at(arrival_ms) for arrival_ms in range(effective_ms)]
        versions.approve(msgspec.structs.replace(FIRST, version=number), effective_ms)
        assert [versions.at(arrival_ms) for arrival_ms in range(effective_ms)] == before
        assert versions.at(effective_ms).version == number


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))
RATE_TEXTS = st.from_regex(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,18})?", fullmatch=True).filter(
    lambda text: Decimal(text) > 0
)


PAIRS = st.tuples(st.sampled_from(sorted(EXPONENTS)), st.sampled_from(["USD", "EUR", "JPY", "BHD", "CLF"]))
MOMENTS = st.tuples(DAYS, st.integers(0, MS_PER_DAY - 1))


@given(
    st.lists(st.tuples(DAYS, RATE_TEXTS), max_size=6), PAIRS, st.integers(0, 10**15 - 1), MOMENTS, st.integers(0, 10)
)
def test_conversion_is_decimal_arithmetic_by_the_newest_rate_in_time(
    quoted: list[tuple[date, str]],
    pair: tuple[str, str],
    amount: int,
    moment: tuple[date, int],
    max_age_days: int,
) -> None:
    (currency, base), (day, in_day_ms) = pair, moment
    rates = Rates()
    known: dict[date, str] = {}
    for on, text in quoted:
        rates.apply(Rate(currency=currency, date=on.isoformat(), rate=text, base_currency=base))
        known[on] = text
    occurred_ms = (day - date(1970, 1, 1)) // timedelta(days=1) * MS_PER_DAY + in_day_ms
    got = rates.convert(amount, currency, occurred_ms, base, max_age_days * MS_PER_DAY)
    usable = [on for on in known if on <= day and (day - on).days <= max_age_days]
    if currency == base:
        assert got == amount
    elif not usable:
        assert got is None
    else:
        with localcontext(prec=80):
            major = Decimal(amount).scaleb(-EXPONENTS[currency]) * Decimal(known[max(usable)])
            minor = major.scaleb(EXPONENTS[base]).to_integral_value(ROUND_HALF_EVEN)
        assert got == int(minor)
