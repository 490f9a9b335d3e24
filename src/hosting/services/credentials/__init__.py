"""Credentials: kept sealed, merged by layers, and given to whoever works for their tenant."""
