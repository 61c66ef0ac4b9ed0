"""What payments turned out to be: remembered of each customer, and taught to the entities they went through."""
