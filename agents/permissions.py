"""What Kafka's access control refused: named as the resource whose rule is missing, for trying again does not help."""

from aiokafka import errors

from agents.broker import BrokerError
from agents.exit_codes import Exit

# What each refusal is about. The errors name the resource where their request did.
_RESOURCES: dict[type[BaseException], str] = {
    errors.TransactionalIdAuthorizationFailed: "write on the transactional id",
    errors.TopicAuthorizationFailedError: "read, write or describe on the topic",
    errors.GroupAuthorizationFailedError: "read on the group",
    errors.ClusterAuthorizationFailedError: "idempotent write on the cluster",
}


class NotAllowedError(BrokerError):
    """Kafka knows us and does not let us do it."""

    exit_code = Exit.CREDENTIALS


def refusal(error: BaseException | None) -> NotAllowedError | None:
    """Return what is to be said when this error, or one that it came of, is a missing permission."""
    while error is not None:
        for kind, need in _RESOURCES.items():
            if isinstance(error, kind):
                return NotAllowedError(
                    f"Kafka does not allow this user to {need}{_named(error)}: add the rule; docs/operate.md lists all "
                    "that a worker needs."
                )
        error = error.__cause__ or error.__context__
    return None


def _named(error: BaseException) -> str:
    names = [name for each in error.args for name in (each if isinstance(each, set | list | tuple) else (each,))]
    return f" {', '.join(sorted(map(str, names)))}" if names else ""
