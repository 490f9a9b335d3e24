"""`python -m benchmarks.hot_path P1`: measure with a server that looks at itself, and say where its time goes."""

import argparse
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.plan import Plan
from benchmarks.readers import allow_many_files
from benchmarks.scenarios.all import SCENARIOS
from benchmarks.servers.sampling import SAMPLES, Samples

_SHOWN: Final = 40


def main() -> None:
    """Run a scenario once, and print for each thread what it was found in: by itself, and with what that calls."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path", description=__doc__)
    parser.add_argument("id", type=str.upper, choices=sorted(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    allow_many_files()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.json"
        os.environ[SAMPLES] = str(path)
        SCENARIOS[given.id](Plan(Path(folder), given.rounds))
        samples = msgspec.json.decode(path.read_bytes(), type=Samples)
    for thread, stacks in samples.items():
        print(f"\n{thread}: {sum(stacks.values())} samples")
        _print("by itself", _by_itself(stacks))
        _print("with what it calls", _with_calls(stacks))


def _by_itself(stacks: dict[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[stack.rpartition(";")[2]] += count
    return found


def _with_calls(stacks: dict[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        for name in set(stack.split(";")):
            found[name] += count
    return found


def _print(title: str, found: Counter[str]) -> None:
    whole = max(1, max(found.values()) if title != "by itself" else found.total())
    print(f"  {title}")
    for name, count in found.most_common(_SHOWN):
        print(f"    {100 * count / whole:5.1f} %  {name}")


if __name__ == "__main__":
    main()
