"""The head of a request: what it may hold, and what the parser lets pass and we do not (RFC 9112)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hosting.cli.http_refusal import Refused

Header = tuple[bytes, bytes]

WATCHED: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))
"""The headers that say whom a request is for and where it ends; `check_head` wants to see them."""

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?[ \t]*")
_WHOLE_URL: Final = re.compile(rb"https?://([^/?#]+)/.*", re.IGNORECASE | re.DOTALL)
_AROUND_A_HEADER: Final = len(b": \r\n")
_AROUND_A_REQUEST: Final = len(b"  HTTP/1.1\r\n\r\n")


@dataclass(frozen=True, slots=True)
class Head:
    """What follows the head, and what the peer waits for before it sends that."""

    announces_body: bool = False
    expects_100_continue: bool = False


_BARE: Final = Head()


def check_head(version: str, method: bytes, target: bytes, watched: list[Header]) -> Head:
    """Make sure that a head holds together; `watched` are those of its headers whose names are `WATCHED`.

    Raises:
        Refused: it does not.
    """
    # The parser has looked at the characters only; most targets are a path.
    if b"#" in target or not target.startswith(b"/"):
        _check_target(method, target, watched)
    if version == "1.1":
        _check_host([value for name, value in watched if name == b"host"])
        return _BARE if len(watched) == 1 else _rest(version, watched)
    if version != "1.0":
        raise _wrong(f"This server speaks HTTP/1.1, not HTTP/{version}.")
    return _rest(version, watched)


def size_of_head(method: bytes, target: bytes, headers: Iterable[Header]) -> int:
    """Return how many bytes a head took, but for white space."""
    line = len(method) + len(target) + _AROUND_A_REQUEST
    return line + sum(len(name) + len(value) + _AROUND_A_HEADER for name, value in headers)


def _check_host(hosts: list[bytes]) -> None:
    if not hosts:
        raise _wrong("The header Host is missing.")
    if len(hosts) > 1:
        raise _wrong("The header Host is there twice.")
    if _HOST.fullmatch(hosts[0]) is None:
        raise _wrong("The header Host is no host and port.")


def _check_target(method: bytes, target: bytes, watched: Iterable[Header]) -> None:
    if target == b"*" and method == b"OPTIONS":
        return
    whole = _WHOLE_URL.fullmatch(target)
    if whole is None or b"#" in target:
        raise _wrong("The target of the request must be a path, with a query at most.")
    if any(value.rstrip(b" \t").lower() != whole[1].lower() for name, value in watched if name == b"host"):
        raise _wrong("The target of the request and the header Host name different hosts.")


def _rest(version: str, watched: Iterable[Header]) -> Head:
    encodings = [value.rstrip(b" \t").lower() for name, value in watched if name == b"transfer-encoding"]
    if encodings not in ([], [b"chunked"]):
        # A proxy in front that reads two of them, or a list, otherwise than we do sees another end of the body.
        raise _wrong("Transfer-Encoding can be `chunked`, once, and nothing else.")
    if encodings and version == "1.0":
        raise _wrong("Transfer-Encoding is of HTTP/1.1, and this request says that it is of HTTP/1.0.")
    return Head(
        # That a length is one number and stands alone, the parser has seen to.
        announces_body=bool(encodings)
        or any(name == b"content-length" and value.strip(b"0 \t") for name, value in watched),
        expects_100_continue=any(name == b"expect" and value.lower() == b"100-continue" for name, value in watched),
    )


def _wrong(detail: str) -> Refused:
    return Refused("invalid-request", detail)
