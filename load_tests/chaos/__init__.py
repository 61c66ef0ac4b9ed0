"""Real workers on a real Kafka while things break, and a judge who only reads topics."""
