"""Verbs on branches and runs: submit, execute, write, follow, finish."""
