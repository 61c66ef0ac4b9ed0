"""The proofs: laws, stories, wiring, and the real Kafka."""
