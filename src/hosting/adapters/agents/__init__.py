"""Agents that come with Branchline, and the shape that user code takes."""
