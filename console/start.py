"""Where `tierwatch` begins: which pipeline runs is settled before anything imports one."""

from agents.compiled import prefer


def main() -> None:
    """Run the command line; never returns."""
    prefer()
    from console.main import main as run

    run()
