"""What the on-call engineer sees: whatever of it is made by code is made here."""
