"""The default policy holds what it promises, and every broken one is refused at the line where it is broken."""

import re
from collections import deque
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.policy import schema
from pipeline.policy.keys import _SMALL_ORDER
from pipeline.policy.load import PolicyError, default_yaml, load_policy, policy_digest
from pipeline.policy.model import AMOUNT_RULES, COUNT_RULES, LIMIT_RULES, OTHER_RULES, RULES, Policy
from pipeline.policy.nodes import MAX_BYTES, MAX_NODES

POLICIES = Path(__file__).parent / "policies"
SMALL = (POLICIES / "small.yaml").read_bytes()
BROKEN = sorted(path.stem for path in POLICIES.glob("*.yaml") if path.stem != "small")
_EXPECTED = re.compile(r"#! (\d+) (.*?)(?=\s+#! |$)")
_HOUR, _DAY = 3_600_000, 86_400_000


@pytest.fixture(scope="module")
def default() -> Policy:
    return load_policy(default_yaml())


def problems(yaml_bytes: bytes) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        load_policy(yaml_bytes)
    return [str(problem) for problem in refused.value.problems]


def test_default_policy_is_complete(default: Policy) -> None:
    assert [tier.name for tier in default.tiers] == ["base", "bronze", "silver", "gold", "platinum"]
    assert [tier.rank for tier in default.tiers] == [0, 1, 2, 3, 4]
    assert default.base_currency == "USD"
    assert default.people == ()
    assert set(default.rules) == set(RULES)
    assert {default.rules[rule].mode for rule in (*LIMIT_RULES, *OTHER_RULES)} == {"live"}
    assert all(set(tier.limits) == set(LIMIT_RULES) for tier in default.tiers)
    assert default.digest == sha256(default_yaml()).hexdigest()


def test_default_limits_never_end_in_pass(default: Policy) -> None:
    assert {default.rules[rule].floor for rule in ("amount_per_transaction", *AMOUNT_RULES, *COUNT_RULES)} == {"review"}
    assert all(rule.floor != "pass" for rule in default.rules.values())


def test_amounts_are_what_stands_there_times_the_exponent(default: Policy) -> None:
    written = yaml.load(default_yaml(), Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes text only
    for tier, text in zip(default.tiers, written["tiers"], strict=True):
        for rule, limit in tier.limits.items():
            assert limit == int(text["limits"][rule]) * (1 if rule in COUNT_RULES else 100), (tier.name, rule)


def test_default_policy_suits_its_schema() -> None:
    document = schema.document()
    Draft202012Validator.check_schema(document)
    Draft202012Validator(document).validate(yaml.safe_load(default_yaml()))
    assert default_yaml().startswith(b"# yaml-language-server: $schema=./schema.json\n")


@pytest.mark.parametrize(
    "old,new",
    [
        ("fee_bps: 150", "fee_bp: 150"),
        ("authentication: strong", "authentication: weak"),
        ("amount_1h: 2000", "amount_1h: -1"),
        ("count_1h: 12", "count_1h: 1.5"),
        ("lateness: 24h", "lateness: 24"),
        ('night_from: "00:00"', 'night_from: "00:10"'),
        ("mode: live", "mode: quiet"),
        ("base_currency: USD\n", ""),
    ],
)  # fmt: skip
def test_editors_see_through_the_schema_what_is_wrong(old: str, new: str) -> None:
    text = default_yaml().decode()
    assert old in text
    assert not Draft202012Validator(schema.document()).is_valid(yaml.safe_load(text.replace(old, new, 1)))


def test_generated_files_are_current() -> None:
    assert schema.stale() == []


def test_stale_files_are_found(tmp_path: Path) -> None:
    for path in (schema.SCHEMA, schema.PAGE):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes((schema.ROOT / path).read_bytes())
    (tmp_path / schema.SCHEMA).write_text("{}")
    page = (tmp_path / schema.PAGE).read_text()
    (tmp_path / schema.PAGE).write_text(page.replace("| `fee_bps` |", "| `fee` |"))
    assert schema.stale(tmp_path) == [schema.SCHEMA, schema.PAGE]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_policy_is_refused_at_the_line(name: str) -> None:
    """A comment `#! COLUMN MESSAGE` in the file says what is expected on its line; nothing else may be reported."""
    data = (POLICIES / f"{name}.yaml").read_bytes()
    expected = [
        f"{line}:{column} {message}"
        for line, text in enumerate(data.decode().split("\n"), start=1)
        for column, message in _EXPECTED.findall(text)
    ]
    assert expected
    assert problems(data) == expected


def test_small_policy_holds() -> None:
    policy = load_policy(SMALL)
    assert policy.rules["night_amount"].types == ("withdrawal", "other")
    assert (policy.rules["night_amount"].night_from_min, policy.rules["night_amount"].night_to_min) == (23 * 60, 5 * 60)
    assert policy.rules["amount_1h"].types == ("purchase", "transfer", "withdrawal")
    assert policy.tiers[1].review is not None
    assert policy.tiers[1].review.remind_ms == (-5 * _DAY, 0, 5 * _DAY)


@pytest.mark.parametrize(
    "data,problem",
    [
        (b"", "1:1 the policy is empty: start from the default policy"),
        (b"\n# only words\n", "1:1 the policy is empty: start from the default policy"),
        (b"--- \n...\n", "2:1 expected a policy, found nothing"),
        (b"[]", "1:1 expected a policy, found a list"),
        (b"name: a\nzone: \xc3\xa9\xff", "2:8 not UTF-8 here: save the file as UTF-8"),
        ("name: a".encode("utf-16"), "1:1 not UTF-8 here: save the file as UTF-8"),
        (b"name: a\r\nzone: \x00", "2:7 the character U+0000 is not allowed in YAML"),
        (b"name: a\nzone: \x1b[0m", "2:7 the character U+001B is not allowed in YAML"),
        (b"a" * (MAX_BYTES + 1), f"1:1 the file has {MAX_BYTES + 1} bytes; a policy has at most {MAX_BYTES}"),
        (b"[" * 100_000, "1:13 nested more than 12 deep: this is no policy"),
        (b"- " * 100_000, "1:25 nested more than 12 deep: this is no policy"),
        (b"{a: " * 100_000, "1:49 nested more than 12 deep: this is no policy"),
        (b"[" + b"1," * (MAX_NODES + 1) + b"1]", f"1:{2 * MAX_NODES} more than {MAX_NODES} values: this is no policy"),
        (b"%TAG ! tag:a,2000:\n--- a", "2:5 expected a policy, found 'a'"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_what_is_no_policy_at_all_has_one_clear_problem(data: bytes, problem: str) -> None:
    assert problems(data) == [problem]


def test_billion_laughs_are_not_told() -> None:
    lines = ["l0: &l0 lol", *(f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12))]
    told = problems("\n".join(lines).encode())
    assert "1:5 an anchor (&l0) is not allowed: write the values out" in told
    assert "2:10 an alias (*l0) is not allowed: write the values out" in told


def test_line_ends_and_byte_order_marks_do_not_matter() -> None:
    assert load_policy(SMALL.replace(b"\n", b"\r\n")).tiers == load_policy(SMALL).tiers
    assert load_policy(b"\xef\xbb\xbf" + SMALL).tiers == load_policy(SMALL).tiers


def test_any_byte_makes_another_digest() -> None:
    assert load_policy(SMALL + b"# seen\n").digest == policy_digest(SMALL + b"# seen\n") != load_policy(SMALL).digest


def test_a_long_list_of_problems_is_shown_in_part() -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(b"\n".join(b"field_%d: 1" % n for n in range(500)))
    shown = str(refused.value).split("\n")
    assert len(refused.value.problems) == 500 + 14
    assert len(shown) == 21
    assert shown[-1] == f"... and {500 + 14 - 20} more"


@pytest.mark.parametrize(
    "currency,text,minor",
    [("USD", "300.05", 30_005), ("JPY", "300", 300), ("BHD", "300.125", 300_125), ("CLF", "300.1234", 3_001_234)],
)
def test_amounts_have_the_digits_of_the_base_currency(currency: str, text: str, minor: int) -> None:
    data = SMALL.decode().replace("base_currency: USD", f"base_currency: {currency}")
    exact = data.replace("amount_24h: 300\n", f"amount_24h: {text}\n")
    too_fine = data.replace("amount_24h: 300\n", f"amount_24h: {text}{'' if '.' in text else '.'}1\n")
    assert load_policy(exact.encode()).tiers[0].limits["amount_24h"] == minor
    assert len(problems(too_fine.encode())) == 1


def test_every_key_of_small_order_is_known() -> None:
    """Eight times such a point is the neutral one; all other points of the curve lead elsewhere."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def x_squared(y: int) -> int:
        return (y * y - 1) * pow(d * y * y + 1, -1, p) % p

    def root(square: int) -> int | None:
        x = pow(square, (p + 3) // 8, p)
        x = x if x * x % p == square else x * pow(2, (p - 1) // 4, p) % p
        return x if x * x % p == square else None

    def double(x: int, y: int) -> tuple[int, int]:
        k = d * x * x * y * y % p
        return 2 * x * y * pow(1 + k, -1, p) % p, (y * y + x * x) * pow(1 - k, -1, p) % p

    points = set()
    for y in _SMALL_ORDER:
        x = root(x_squared(y % p))
        assert x is not None
        points |= {(x, y % p), (-x % p, y % p)}
    # The group has eight such points; y and the sign of x tell them apart, and two values of y can be written twice.
    assert len(points) == 8
    for point in points:
        assert double(*double(*double(*point))) == (0, 1)


def test_ordinary_customers_seldom_break_the_base_limits(default: Policy) -> None:
    """One to five payments a day of about 70 dollars, with the long tail that payments have; no data set behind it."""
    random = Random(20)
    limits = default.tiers[0].limits
    broken = total = 0
    for customer in range(100):
        per_day = 1 + customer % 5
        windows: dict[str, tuple[int, deque[tuple[float, int]]]] = {
            name: (length, deque())
            for name, length in {"1h": _HOUR, "24h": _DAY, "7d": 7 * _DAY, "30d": 30 * _DAY}.items()
        }
        at = 0.0
        while at < 90 * _DAY:
            at += random.expovariate(per_day / _DAY)
            amount = round(7000 * random.lognormvariate(-0.5, 1.0))
            hit = amount > limits["amount_per_transaction"]
            for name, (length, entries) in windows.items():
                entries.append((at, amount))
                while entries[0][0] <= at - length:
                    entries.popleft()
                hit |= sum(entry[1] for entry in entries) > limits[f"amount_{name}"]
                hit |= len(entries) > limits[f"count_{name}"]
            total += 1
            broken += hit
    assert total > 20_000
    assert Decimal(broken) / total < Decimal("0.01")
