"""Ten faults, one after the other: does the alert that each one's runbook describes reach somebody, and end?"""
