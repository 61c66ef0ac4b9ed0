"""Structured logs: one line an event, `time level logger event key=value …`, whatever the event's text holds.

The words after the logger name what happened; the values stand in fields, so that a search finds them. What libraries
log goes through the same formatter: a traceback or a table of theirs is one line too.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

# What follows a broker that comes and goes is told by our own lines; these say the same thing many times a second.
_QUIETER = {
    "agents": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "aiokafka": logging.ERROR,
    "asyncio": logging.ERROR,
}


class Log:
    """A logger whose values are fields: `log.info("recovered", partition=3)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"tierwatch.{name}")

    def debug(self, event: str, **values: object) -> None:
        """Say what only a developer wants to know."""
        self._logger.debug(event, extra={"values": values})

    def info(self, event: str, **values: object) -> None:
        """Say what an operator may want to know."""
        self._logger.info(event, extra={"values": values})

    def warning(self, event: str, **values: object) -> None:
        """Say what an operator should look at."""
        self._logger.warning(event, extra={"values": values})

    def error(self, event: str, *, cause: BaseException | None = None, **values: object) -> None:
        """Say what needs somebody; `cause` is told with its traceback."""
        self._logger.error(event, extra={"values": values}, exc_info=cause)


class OneLine(logging.Formatter):
    """`2026-11-22T10:00:00.000Z INFO engine recovered partition=3 records=10`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        words = [_moment(record), record.levelname, record.name.removeprefix("tierwatch."), _plain(record.getMessage())]
        values: dict[str, object] = getattr(record, "values", {})
        words += [f"{name}={_value(value)}" for name, value in values.items()]
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            words.append(f"error={_value(f'{type(error).__name__}: {error}')}")
            words.append(f"traceback={json.dumps(''.join(traceback.format_exception(error)))}")
        return " ".join(words)


class OneObject(logging.Formatter):
    """`{"time":"2026-11-22T10:00:00.000Z","level":"INFO","logger":"engine","event":"recovered","partition":3}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON; values that JSON does not know become text."""
        told: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name.removeprefix("tierwatch."),
            "event": _plain(record.getMessage()),
            **getattr(record, "values", {}),
        }
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            told |= {
                "error": f"{type(error).__name__}: {error}",
                "traceback": "".join(traceback.format_exception(error)),
            }
        return json.dumps(told, default=str, ensure_ascii=False)


class Harmless(logging.Filter):
    """What libraries call an error and mends itself: Kafka makes the topic of group positions at the first join."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, as what it is."""
        if record.msg == "Group Coordinator Request failed: %s":
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg = "the group's coordinator is not there yet, asking again: %s"
        return record.levelno >= logging.root.level


class Seldom(logging.Filter):
    """Lets the same words of a library pass once in a while: a broker that is away is told a hundred times a second."""

    EVERY_S = 30.0

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether these words are to be heard."""
        if record.name.startswith("tierwatch."):
            return True
        words = (record.name, str(record.msg))
        if record.created - self._passed.get(words, 0.0) < self.EVERY_S:
            return False
        self._passed[words] = record.created
        return True


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _value(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if text and not set(text) & set(' "=\n\r\t') else json.dumps(text, ensure_ascii=False)


def set_up(level: str, form: str = "TEXT") -> None:
    """Send the whole process's log to standard error, from `level` on; `TEXT` is for people, `JSON` for programs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneObject() if form == "JSON" else OneLine())
    handler.addFilter(Harmless())
    handler.addFilter(Seldom())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else max(quieter, logging.root.level))
