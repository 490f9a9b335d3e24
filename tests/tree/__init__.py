"""Forks, siblings and the tree, on both databases."""
