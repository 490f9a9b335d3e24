"""Sealing what must not be read where it is stored."""
