"""Where detection meets the world: Faust, Kafka, Redis, the environment and the wall clock."""
