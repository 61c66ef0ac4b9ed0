"""What the tests need from outside: brought once, started once a run, ended with it."""
