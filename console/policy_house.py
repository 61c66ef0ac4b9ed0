"""The house's policies as a command sees them, and the one way to change them: a signed event."""

import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer

from agents.exit_codes import Exit
from console.policies import read_policy
from console.signing_key import hand
from schemas.timestamps import format_ms

if TYPE_CHECKING:
    from pipeline.policy.model import Policy


class House:
    """The policies of the house that the environment names; `with House() as house` ends what Kafka holds open."""

    def __init__(self) -> None:
        from agents.policy_topic import PolicyTopic
        from console.environment import settings

        self.settings = settings()
        self.first = read_policy(self.settings.policy)
        self.topic = PolicyTopic(self.settings, self.first)
        self.book = self.topic.book

    def __enter__(self) -> Self:
        self.topic.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.topic.__exit__(kind, error, trace)

    @property
    def now_ms(self) -> int:
        """This machine's clock, epoch milliseconds."""
        return int(time.time() * 1000)

    @property
    def in_force(self) -> "Policy":
        """The policy in force now."""
        return self.book.in_force(self.now_ms)

    def say(self, key: Path | None, event_type: str, fields: dict[str, Any], *, reason: str, json: bool) -> None:
        """Sign an event, publish it, and end the command where it was refused."""
        from msgspec.json import encode

        from schemas.signing import sign

        signer = hand(key, self.in_force)
        event: dict[str, Any] = {
            "event_type": event_type,
            "event_id": str(uuid.uuid4()),
            "policy": self.first.name,
            "occurred_at": format_ms(self.now_ms),
            "actor": signer.name,
            **fields,
            **({"rationale": reason} if reason else {}),
        }
        event["signature"] = {"key_id": signer.key_id, "value": sign(signer.private_key, event)}
        entry = self.topic.say(event)
        if json:
            typer.echo(encode(entry))
        elif entry.reason is not None:
            typer.echo(f"refused: {entry.reason}: {entry.detail}")
            typer.echo(f"  {entry.reason.meaning} Nothing changed, and the audit says so.")
        if entry.reason is not None:
            raise typer.Exit(Exit.REFUSED)
