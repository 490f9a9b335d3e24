"""Files that are there whole or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hosting.domain.errors import StorageRefused

_OWNERS_ONLY = 0o600


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """Make an empty file beside another one, for its owner's eyes only; what is left of it at the end is removed.

    What a process that was killed has left there is taken over.

    Raises:
        StorageRefused: it cannot be made, or another process writes it.
    """
    partial = target.with_name(f".{target.name}.partial")
    descriptor = _opened(partial, target)
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        os.close(descriptor)


def make_durable(file: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    _sync(file)


def put_in_place(partial: Path, target: Path, *, replace: bool) -> None:
    """Give a file its name, at once and durably.

    Raises:
        StorageRefused: the name is taken, and what has it is not to be replaced.
    """
    make_durable(partial)
    if replace:
        partial.replace(target)
    else:
        try:
            # Unlike a rename, this leaves a file alone that has come to be meanwhile.
            target.hardlink_to(partial)
        except FileExistsError as error:
            raise StorageRefused(f"{target} is there already.") from error
        partial.unlink()
    _sync(target.parent)


def _opened(partial: Path, target: Path) -> int:
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, _OWNERS_ONLY)
    except OSError as error:
        raise StorageRefused(f"{partial} cannot be made: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StorageRefused(f"Another process is just writing {target}.") from error
    os.ftruncate(descriptor, 0)
    os.fchmod(descriptor, _OWNERS_ONLY)
    return descriptor


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
