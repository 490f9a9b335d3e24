"""Adapters: stuff behind the doors of `hosting.ports`; strangers to each other."""
