"""Answering what a run asks."""
