"""A disk of a few megabytes that can be filled to the last byte."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount one; skips where nobody may mount."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Ballast:
    """While the block lasts, all room of a disk is taken."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "ballast"

    def __enter__(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                self._fill(file.fileno(), bytes(size))

    def __exit__(self, *exc: object) -> None:
        self._path.unlink()

    def _fill(self, file: int, piece: bytes) -> None:
        try:
            while os.write(file, piece):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
