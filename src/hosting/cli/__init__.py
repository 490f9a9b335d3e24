"""The command `branchline`."""
