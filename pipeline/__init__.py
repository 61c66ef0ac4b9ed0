"""Detection and the whitelist's rules of life: pure functions of data, no clock, no randomness, no I/O."""
