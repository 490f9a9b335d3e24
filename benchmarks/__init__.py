"""How fast the hot paths are, each beside a program that shows what this machine can do: `python -m benchmarks`."""
