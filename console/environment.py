"""The settings of the environment, for commands that need Kafka or a key."""

from agents.exit_codes import Exit
from agents.settings import Settings, SettingsError
from console.errors import CommandError


def settings() -> Settings:
    """Read the environment.

    Raises:
        CommandError: with all that is wrong in it.

    """
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise CommandError(
            "the environment cannot be used",
            "Correct these variables, or unset them.",
            Exit.SETTINGS,
            details=error.problems,
        ) from error
