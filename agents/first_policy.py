"""Which policy a house began with: the first thing said on the topic `policies`."""

from agents.exit_codes import Exit
from schemas.codec import Undecodable, decode_policy_event
from schemas.policy_event import PolicyInitial


class OtherPolicyError(Exception):
    """The house began with another first policy than this process's file."""

    exit_code = Exit.BAD_INPUT


def initial_digest(value: bytes | None) -> str | None:
    """Return which policy the house began with, if this record of `policies` says that."""
    try:
        event = decode_policy_event(value or b"").message
    except Undecodable:
        return None
    return event.digest if isinstance(event, PolicyInitial) else None
