"""What a machine may lack: moved to where measurements reach it too."""

from load_tests.services.need import UnavailableError, brought, download, program

__all__ = ["UnavailableError", "brought", "download", "program"]
