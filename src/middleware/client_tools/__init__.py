"""Tools that run where the client is: what a client registers, what an agent sees of it, what an answer changes.

Values and rules only: every function returns a new state and leaves the old one as it was.
"""
