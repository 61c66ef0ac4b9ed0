"""Waiting on conditions: moved to where measurements reach it too."""

from load_tests.services.wait import until

__all__ = ["until"]
