"""The register of metrics: its page is current, its names are in order, and it covers all that the pipeline counts."""

import ast
from bisect import bisect_left
from pathlib import Path

import msgspec
import pytest

from agents.measure import MOST_SOURCES, Metrics
from agents.metrics import PAGE, REGISTER, page
from agents.sources import OTHER_SOURCES
from pipeline.policy.load import default_yaml, load_policy
from pipeline.tally import LATENESS_BOUNDS_MS, Tally

PIPELINE = Path(__file__).parents[1] / "pipeline"


def test_the_page_is_current() -> None:
    assert page() == PAGE.read_text(), "run `python -m agents.metrics`"


def test_names_and_meanings_are_in_order() -> None:
    names = [definition.full_name for definition in REGISTER]
    assert len(set(names)) == len(names)
    for definition in REGISTER:
        assert definition.meaning.endswith(".") or "; " in definition.meaning, definition.name
        assert not {"customer", "customer_id", "merchant", "transaction", "transaction_id"} & set(definition.labels)
        assert bool(definition.buckets) == (definition.kind == "histogram")


def counted() -> set[tuple[str, int]]:
    """Find every `tally.count("name", *labels)` of the pipeline: the name, and how many labels it is given."""
    calls = (node for path in PIPELINE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return {
        (str(call.args[0].value), len(call.args) - 1)
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "count"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and ast.unparse(call.func.value) in {"tally", "self.tally", "self"}
    }


def test_whatever_the_pipeline_counts_has_a_counter_with_as_many_labels() -> None:
    registered = {(each.name, len(each.labels)) for each in REGISTER if each.kind == "counter"}
    assert counted()
    assert counted() <= registered


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics()
    made.in_force(load_policy(default_yaml()))
    return made


def test_lateness_arrives_in_whole_tallies(metrics: Metrics) -> None:
    tally = Tally()
    for late_ms in (-5, 0, 50, 100, 2_000, 90_000_000):
        tally.lateness[bisect_left(LATENESS_BOUNDS_MS, late_ms)] += 1
        tally.lateness_sum_ms += max(late_ms, 0)
    metrics._count(tally.drain())
    value = metrics.registry.get_sample_value
    below = {"0": 2, "0.1": 4, "10": 5, "86400": 5, "+Inf": 6}
    assert {le: value("tierwatch_lateness_seconds_bucket", {"le": le}) for le in below} == below
    assert value("tierwatch_lateness_seconds_count") == 6
    assert value("tierwatch_lateness_seconds_sum") == 90_002.15


def test_a_new_policy_replaces_the_old_one_in_the_info(metrics: Metrics) -> None:
    old = load_policy(default_yaml())
    metrics.in_force(msgspec.structs.replace(old, version=old.version + 1, digest="ab" * 32))
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    versions = [sample.labels["version"] for sample in samples if sample.name == "tierwatch_policy_info"]
    assert versions == [str(old.version + 1)]


def counted_sources(metrics: Metrics, *sources: str) -> dict[str, float]:
    tally = Tally()
    for source in sources:
        tally.count("transactions", source)
    metrics._count(tally.drain())
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    return {each.labels["source"]: each.value for each in samples if each.name == "tierwatch_transactions_total"}


@pytest.mark.parametrize("source", ["card-network", "core_2", "/bank/core", "urn:bank:cards:eu.1", "x" * 64])
def test_a_processor_is_told_apart_by_its_name(metrics: Metrics, source: str) -> None:
    assert counted_sources(metrics, source) == {source: 1}


@pytest.mark.parametrize(
    "source",
    [
        "4111111111111111",
        "cards-4111-1111-1111-1111",
        "c.41.11.11.11.11.11.11.11",
        "Jenny Wren",
        "wren@bank.example",
        "Wrén",
        "core\n",
        "x" * 65,
    ],
)
def test_a_source_that_may_be_a_card_or_a_person_is_no_label(metrics: Metrics, source: str) -> None:
    assert counted_sources(metrics, source, "core") == {OTHER_SOURCES: 1, "core": 1}


def test_sources_without_end_are_a_bounded_number_of_series(metrics: Metrics) -> None:
    found = counted_sources(metrics, *(f"core-{number}" for number in range(MOST_SOURCES + 50)))
    assert (len(found), found[OTHER_SOURCES]) == (MOST_SOURCES + 1, 50)
