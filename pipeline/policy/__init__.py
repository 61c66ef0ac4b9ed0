"""The policy: read, checked, compared, and found for a moment in time."""
