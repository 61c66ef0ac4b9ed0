"""What confirmed labels teach about a place that many customers share: a terminal, a merchant."""
