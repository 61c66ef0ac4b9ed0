"""Programs that do the same small work on other libraries, each run by a Python of its own."""
