"""What a command says when it cannot go on: what is wrong, and what the person does next."""

from collections.abc import Sequence

from agents.exit_codes import Exit


class CommandError(Exception):
    """Ends the command. `message` is one line and names the thing; `hint` is what to do next; `details` come before."""

    def __init__(self, message: str, hint: str, code: Exit = Exit.BAD_INPUT, *, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.details = details
