"""`tierwatch evaluate`: how well it detects on a labelled file, judged as it would have been at the time."""
