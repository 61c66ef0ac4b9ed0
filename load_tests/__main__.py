"""`python -m load_tests NAME`: the benchmarks, of the compiled pipeline where there is one."""

from agents.compiled import prefer

if __name__ == "__main__":
    prefer()
    from load_tests.benchmarks import app

    app(prog_name="python -m load_tests")
