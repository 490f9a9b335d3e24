"""Histories that are compacted."""
