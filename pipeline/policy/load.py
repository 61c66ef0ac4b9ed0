"""A policy's YAML text to a policy, or everything that is wrong with it."""

from hashlib import sha256
from importlib.resources import files

from pipeline.currencies import EXPONENTS
from pipeline.policy.check import check
from pipeline.policy.fields import POLICY, build
from pipeline.policy.model import Policy
from pipeline.policy.nodes import Mapping, Node, Scalar, read_document
from pipeline.policy.problems import PolicyError, Problem
from pipeline.policy.reading import Path, Reading

__all__ = ["PolicyError", "Problem", "default_yaml", "load_policy", "policy_digest"]


def load_policy(yaml_bytes: bytes) -> Policy:
    """The policy of a YAML text.

    Raises:
        PolicyError: it is none; its `problems` are all there are, not only the first.

    """
    document = read_document(yaml_bytes)
    reading = Reading(document.root, _exponent(document.root))
    values = POLICY.read(document.root, (), reading)
    policy = build(values, policy_digest(yaml_bytes))
    doubtful = _Doubtful(reading.unreadable)
    for finding in check(policy):
        if not any(path in doubtful for path in (finding.path, *finding.others)):
            reading.report(finding.path, reading.mark(finding.path), finding.message)
    problems = [*document.problems, *reading.problems]
    if problems:
        raise PolicyError(problems)
    return policy


def policy_digest(yaml_bytes: bytes) -> str:
    """What names a version of the policy: SHA-256 of its bytes, hex."""
    return sha256(yaml_bytes).hexdigest()


def default_yaml() -> bytes:
    """The default policy's bytes."""
    return files("pipeline.policy").joinpath("default.yaml").read_bytes()


def _exponent(root: Node) -> int:
    """Digits after the point of amounts; the most there are while the currency is not known."""
    if isinstance(root, Mapping) and "base_currency" in root.entries:
        node = root.entries["base_currency"].node
        if isinstance(node, Scalar):
            return EXPONENTS.get(node.text, max(EXPONENTS.values()))
    return max(EXPONENTS.values())


class _Doubtful:
    """Paths whose value rests on one that could not be read: the problem of that one is enough."""

    def __init__(self, unreadable: set[Path]) -> None:
        self._unreadable = unreadable
        self._around = {path[:steps] for path in unreadable for steps in range(len(path) + 1)}

    def __contains__(self, path: Path) -> bool:
        return path in self._around or any(path[:steps] in self._unreadable for steps in range(len(path)))
