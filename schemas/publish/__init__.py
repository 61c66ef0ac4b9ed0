"""The wire contract for people and tools of any language, generated from the message types."""
