"""A real Redis: moved to where measurements reach it too."""

from load_tests.services.redis import start

__all__ = ["start"]
