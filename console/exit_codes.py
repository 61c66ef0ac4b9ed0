"""What `tierwatch` exits with, in words: scripts decide by these numbers, so none ever changes its meaning."""

from collections.abc import Mapping

from agents.exit_codes import Exit

# As shells count: 128 + the signal that would have ended a simpler program.
INTERRUPTED = 130
OUTPUT_CLOSED = 141

MEANINGS: Mapping[int, str] = {
    Exit.OK: "Done. Dead letters of a replay are outcomes, not failures.",
    Exit.FAILED: "A fault of tierwatch itself: run the command again as `tierwatch --debug …` and report what it says.",
    Exit.SETTINGS: "The command line or the environment was not understood.",
    Exit.BAD_INPUT: "A file, policy, mapping or row could not be used; standard error says what, where and what to do.",
    Exit.NO_BROKER: "No Kafka broker answered.",
    Exit.CREDENTIALS: "The broker refused the credentials, or they do not allow what was asked.",
    Exit.MISMATCH: "The accounts do not balance: a record has no outcome, or not the one that the journal makes.",
    Exit.TOPICS: "A topic is missing or has settings that do not fit; `tierwatch topics create` makes or names it.",
    Exit.GONE: "Kafka has deleted what is needed; standard error says which topic needs a longer retention.",
    Exit.REFUSED: "The event was published and refused: nothing changed, the audit says why, and so does the output.",
    Exit.UNWELL: "`tierwatch doctor` found something that does not work; each line says what to do.",
    INTERRUPTED: "Ended by Ctrl-C.",
    OUTPUT_CLOSED: "Whoever read the output went away, as `head` does.",
}
