"""Files that are there whole or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hosting.domain.errors import StorageRefused

_OWNERS_ONLY: Final = 0o600
_TRIES: Final = 10


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """Make an empty file beside another one, for its owner's eyes only; what is left of it at the end is removed.

    What a process that was killed has left there is taken over.

    Raises:
        StorageRefused: it cannot be made, or another process writes it.
    """
    partial = target.with_name(f".{target.name}.partial")
    descriptor = _taken(partial, target)
    try:
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, _OWNERS_ONLY)
        yield partial
    finally:
        if _is_shown(descriptor, partial):
            partial.unlink()
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


def _taken(partial: Path, target: Path) -> int:
    for _ in range(_TRIES):
        descriptor = _locked(partial, target)
        if _is_shown(descriptor, partial):
            if os.fstat(descriptor).st_nlink == 1:
                return descriptor
            # It has its own name already: whoever was killed just then did not come to take this one away.
            partial.unlink()
        # Else its owner has given it its name between our opening and our locking it.
        os.close(descriptor)
    raise StorageRefused(f"Another process is just writing {target}.")


def _locked(partial: Path, target: Path) -> int:
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, _OWNERS_ONLY)
    except OSError as error:
        raise StorageRefused(f"{partial} cannot be made: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StorageRefused(f"Another process is just writing {target}.") from error
    return descriptor


def _is_shown(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
