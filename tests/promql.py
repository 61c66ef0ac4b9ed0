"""What the rules and boards ask Prometheus, taken apart just so far that tests can hold it against what there is."""

import re
from pathlib import Path
from typing import Any

import yaml

PROMETHEUS = Path(__file__).parents[1] / "dashboards" / "prometheus"
CONFIG: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
RULE_FILES = [PROMETHEUS / name for name in CONFIG["rule_files"]]

# A metric, or what a rule records of one, with its matchers. Nothing else in our queries begins like this.
_SELECTOR = re.compile(r"(?<![\w:/])((?:\w+:)?(?:tierwatch|alertmanager|prometheus)[_:][\w:]+|up)\b(\{[^}]*\})?")


def selectors(query: str) -> list[tuple[str, str]]:
    """Return each series that a query asks for: its name, and its matchers in braces."""
    return [(name, matchers or "") for name, matchers in _SELECTOR.findall(query)]


def rules() -> list[dict[str, Any]]:
    """Return all rules as they stand, alerts and records."""
    return [
        rule for file in RULE_FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]
    ]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}
