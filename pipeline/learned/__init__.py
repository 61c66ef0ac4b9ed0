"""A learned score beside the points: the same features, never a part of any state."""
