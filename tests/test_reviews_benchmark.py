"""The benchmark of the review clock measures what it says: it announces who is due, and nobody else."""

from load_tests.reviews import reviews


def test_whoever_is_due_is_found_whatever_else_there_is() -> None:
    measured = reviews(3_000)
    assert (measured["customers"], measured["customers_with_a_hundredth"]) == (3_000, 1_000)
    assert measured["due"] == 500
    assert measured["find_due_ms"] > 0
