"""One test run: moved to where measurements reach it too."""

from load_tests.services.run import DiedError, OwnRun, Run, free_ports

__all__ = ["DiedError", "OwnRun", "Run", "free_ports"]
