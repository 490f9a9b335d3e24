"""What stands on the runtime and is not needed by it: delete one, and only the bootstrap changes."""
