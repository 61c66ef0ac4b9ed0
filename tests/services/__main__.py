"""`python -m tests.services`: bring what the tests need before they run, and say what cannot be had."""

import os
import sys
from collections.abc import Callable

from load_tests.services import alertmanager, kafka
from load_tests.services.need import UnavailableError, program
from tests.services import asyncapi, compose

NEEDS: dict[str, Callable[[], object]] = {
    "Kafka": kafka.jars,
    "Java": kafka.java,
    "AsyncAPI parser": asyncapi.parser,
    "Redis": lambda: program("redis-server", "redis-server"),
    "promtool": lambda: program("promtool", "prometheus"),
    "Alertmanager": alertmanager.find,
    "amtool": lambda: program("amtool", "prometheus-alertmanager"),
    "Prometheus": lambda: program("prometheus", "prometheus"),
    "Docker Compose": compose.compose,
    "Java's compiler": lambda: program("javac", "openjdk-17-jdk-headless or newer"),
    "kcat": lambda: program("kcat", "kcat"),
}


def main() -> int:
    """Bring everything; return 1 where `CI` is set and something is missing."""
    missing = 0
    for name, bring in NEEDS.items():
        try:
            bring()
        except UnavailableError as error:
            missing += 1
            print(f"{name}: {error}", file=sys.stderr)
    if missing:
        print("Tests that need what is missing will be skipped, and fail where CI is set.", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
