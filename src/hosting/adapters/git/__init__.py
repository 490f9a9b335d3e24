"""Access to repositories."""
