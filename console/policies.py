"""Policy files as commands read them."""

from pathlib import Path

from console.errors import CommandError
from console.terminal import counted
from pipeline.policy.model import Policy

# YAML beyond this is refused by the loader anyway: a wrong file name must not fill the memory.
_MOST_BYTES = 2 << 20
_SHOWN = 20
DEFAULT_NAME = "the default policy"


def read_policy(path: Path | None) -> Policy:
    """The policy of a file, or the packaged default.

    Raises:
        CommandError: the file cannot be read or is no policy.

    """
    from pipeline.policy.load import PolicyError, default_yaml, load_policy

    yaml = default_yaml() if path is None else read_yaml(path)
    try:
        return load_policy(yaml)
    except PolicyError as error:
        name = path or DEFAULT_NAME
        raise CommandError(
            f"{name} cannot be used: {counted(len(error.problems), 'problem')}",
            f"Mend the file; `tierwatch policy check {name}` lists every problem with its line.",
            details=[f"{name}:{problem}" for problem in error.problems[:_SHOWN]],
        ) from error


def read_yaml(path: Path) -> bytes:
    """The bytes of a policy file.

    Raises:
        CommandError: it cannot be read.

    """
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise CommandError(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}", "Check the name and that you may read it."
        ) from error
