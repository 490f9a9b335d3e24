"""The file of the keys that tokens are signed with: a line a key, `<id> <secret in base64url>`, the newest last.

Empty lines and lines that begin with # count for nothing.
"""

import fcntl
import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from hosting.domain.admission import KeyFileRefused
from hosting.domain.signing_key import SECRET_BYTES, SigningKey

_log = structlog.get_logger("branchline.keys")

Randomness = Callable[[int], bytes]
"""Returns so many bytes of chance."""
SigningKeys = Callable[[], Mapping[str, SigningKey]]
"""Returns the keys there are now by their ids, the newest last."""

_LINE: Final = re.compile(r"(?P<id>[A-Za-z0-9._~-]{1,64})\s+(?P<secret>[A-Za-z0-9_-]+)=*")
_ID_BYTES: Final = 4
_MOST_BYTES: Final = 1 << 20


def signing_keys(named: str | None, beside: Path | None) -> SigningKeys:
    """Return the keys of `key_file`; without a file there are none.

    Raises:
        KeyFileRefused: the file cannot be used, or not be made.
    """
    file = key_file(named, beside)
    return dict if file is None else file.keys


def key_file(named: str | None, beside: Path | None) -> "KeyFile | None":
    """Return where keys come from: the file that is named, else the one beside the database, which is made if need be.

    Without either there is none.

    Raises:
        KeyFileRefused: the file cannot be used, or not be made.
    """
    if named is not None:
        return KeyFile(Path(named))
    if beside is None:
        return None
    ensure_key_file(beside)
    return KeyFile(beside)


class KeyFile:
    """A file of signing keys; a line that is added counts from the next token on, without a restart."""

    def __init__(self, path: Path) -> None:
        """Read the file for the first time.

        Raises:
            KeyFileRefused: it is not there, cannot be read, or holds something else than keys.
        """
        self._path = path
        self._keys, self._state = _read(path)
        self._is_broken = False
        if os.stat(path).st_mode & 0o077:
            _log.warning("others can read the key file; chmod 600 keeps it to its owner", path=str(path))

    def is_usable(self) -> bool:
        """Say whether the keys are in the file now: what is sealed with others is lost with this process."""
        self.keys()
        return not self._is_broken

    def keys(self) -> Mapping[str, SigningKey]:
        """Return the keys by their ids, the newest last; those read before, while the file cannot be used."""
        try:
            if _state(self._path) != self._state:
                self._keys, self._state = _read(self._path)
            self._is_broken = False
        except (KeyFileRefused, OSError) as error:
            if not self._is_broken:
                _log.error("the key file cannot be read again; the keys read before still count", error=str(error))
            self._is_broken = True
        return self._keys


def ensure_key_file(path: Path, randomness: Randomness = secrets.token_bytes) -> bool:
    """Make a file with one key in it, unless there is one, and say whether it was made here.

    Of several processes that do it at once, one makes it.

    Raises:
        KeyFileRefused: it cannot be made.
    """
    if path.exists():
        return False
    with _refusing(path, "made"), _draft(path, _line(randomness)) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        _sync_folder(path.parent)
    return True


def add_key(path: Path, randomness: Randomness = secrets.token_bytes) -> str:
    """Put a new key behind those of a file, so that it signs from now on, and return its id.

    Raises:
        KeyFileRefused: the file is not there, holds something else than keys, or cannot be written.
    """
    real, line = Path(os.path.realpath(path)), _line(randomness)
    with _refusing(path, "written"), _alone(real):
        _read(path)
        text = real.read_text("utf-8")
        with _draft(real, text + ("" if text.endswith("\n") else "\n") + line) as draft:
            before = real.stat()
            with suppress(PermissionError):
                os.chown(draft, before.st_uid, before.st_gid)
            draft.replace(real)
        _sync_folder(real.parent)
    return line.partition(" ")[0]


def _line(randomness: Randomness) -> str:
    secret = urlsafe_b64encode(randomness(SECRET_BYTES)).rstrip(b"=").decode()
    return f"key-{randomness(_ID_BYTES).hex()} {secret}\n"


@contextmanager
def _refusing(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyFileRefused(path, f"it cannot be {what}: {error.strerror}.") from error


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Write a file of our own beside another one, which it is to become.

    So that one is there whole or not at all: neither a crash nor somebody who reads meanwhile sees half of it.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep out whoever else adds a key at the same time: the later one would write over the earlier one's."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _state(path: Path) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> tuple[Mapping[str, SigningKey], tuple[int, ...]]:
    try:
        # Before the text: a line that comes in between is then read again, not missed.
        state = _state(path)
        if state[1] > _MOST_BYTES:
            raise KeyFileRefused(path, "it is too large to be one.")
        return _parse(path, path.read_text("utf-8")), state
    except UnicodeDecodeError as error:
        raise KeyFileRefused(path, "it is no text.") from error
    except OSError as error:
        raise KeyFileRefused(path, f"{error.strerror}.") from error


def _parse(path: Path, text: str) -> Mapping[str, SigningKey]:
    keys: dict[str, SigningKey] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # What is wrong is told by its number alone: the line holds a secret.
        match = _LINE.fullmatch(line.strip())
        secret = _secret(match["secret"]) if match else b""
        if match is None or len(secret) < SECRET_BYTES:
            raise KeyFileRefused(path, f"line {number} is no id with {SECRET_BYTES} bytes in base64url behind it.")
        if match["id"] in keys:
            raise KeyFileRefused(path, f"line {number} has an id that a line before it has.")
        keys[match["id"]] = SigningKey.of(match["id"], secret)
    if not keys:
        raise KeyFileRefused(path, "there is no key in it.")
    return keys


def _secret(text: str) -> bytes:
    return b"" if len(text) % 4 == 1 else urlsafe_b64decode(text + "=" * (-len(text) % 4))
