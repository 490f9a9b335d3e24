"""Routing: which provider is to do a piece of work."""
