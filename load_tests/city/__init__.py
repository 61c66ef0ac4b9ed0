"""A seeded city: people with habits, five tiers, and fraudsters whose truth is known and scored at the end."""

from load_tests.city.approvers import Approvers, trusting_policy
from load_tests.city.event import Event, Truth
from load_tests.city.life import City

__all__ = ["Approvers", "City", "Event", "Truth", "trusting_policy"]
