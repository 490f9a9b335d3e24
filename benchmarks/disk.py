"""How long the disk takes to promise something."""

import os
import time
from pathlib import Path

_BLOCK = b"x" * 4096


def fdatasync_seconds(folder: Path, count: int) -> list[float]:
    """Return how long each of so many one-block appends with fdatasync took, sorted."""
    path = folder / "fdatasync.bin"
    taken: list[float] = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        for _ in range(count):
            began = time.perf_counter()
            os.write(file, _BLOCK)
            os.fdatasync(file)
            taken.append(time.perf_counter() - began)
    finally:
        os.close(file)
        path.unlink()
    return sorted(taken)


def percentile(ordered: list[float], share: float) -> float:
    """Return the value that this share of the sorted values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
