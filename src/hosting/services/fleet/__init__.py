"""The fleet: workers, the work that they are offered, and what they say of it."""
