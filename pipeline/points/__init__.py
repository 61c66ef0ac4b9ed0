"""Points: small tables of counters that a person can read, calibrated on labels as they become known."""
