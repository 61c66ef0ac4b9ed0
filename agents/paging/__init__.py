"""From alerts to whoever is on call: cases are made by one reader of Kafka and told by another."""
