"""Cases: which alerts are one incident, and what whoever is on call hears of it."""
