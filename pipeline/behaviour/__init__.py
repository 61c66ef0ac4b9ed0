"""What a customer's own payments say about the next one: a bounded profile, and the features read from it."""
