"""Bodies that the routes of forks, patches and searches may not take, and what each must be answered with."""

import json
from collections.abc import Iterator
from typing import Any

from tests.edge.bodies import BAD_IDS, Hostile, anywhere

_LIMIT = 1 << 20
_NO_TEXTS: tuple[Any, ...] = (1, True, 1.5, [], {})
_NO_TAGS: tuple[Any, ...] = ("a", 1, {}, [1], [None], ["a", ["b"]])
_NO_OBJECTS: tuple[Any, ...] = ("a", 1, [], True)


def forks() -> Iterator[Hostile]:
    """Yield what POST fork refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"fromMessageId":"m","metadata":{"a":%b}}' % value, _LIMIT)
    yield from anywhere("invalid-request", lambda value: b'{"name":"a","fromMessageId":%b}' % value, _LIMIT)
    yield Hostile("nothing", b"", "invalid-request", "`fromMessageId`")
    for wrong in (None, *_NO_TEXTS):
        yield _body(f"fromMessageId {wrong!r}", "`$.fromMessageId`", fromMessageId=wrong)
    for wrong in (*_NO_TEXTS, *BAD_IDS):
        yield _body(f"newBranchId {wrong!r:.20}", "newBranchId", fromMessageId="m", newBranchId=wrong)
    yield from _words(fromMessageId="m")
    for unknown in ("branchId", "sourceBranchId", "frommessageid"):
        yield Hostile(unknown, json.dumps({"fromMessageId": "m", unknown: "a"}).encode(), "unknown-member", unknown)


def branch_patches() -> Iterator[Hostile]:
    """Yield what PATCH branch refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"metadata":{"a":%b}}' % value, _LIMIT)
    yield from anywhere("invalid-request", lambda value: b'{"name":%b}' % value, _LIMIT)
    yield from _words()


def session_patches() -> Iterator[Hostile]:
    """Yield what PATCH session refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"metadata":{"a":%b}}' % value, _LIMIT)
    for wrong in _NO_OBJECTS:
        yield _body(f"metadata {wrong!r}", "`$.metadata`", metadata=wrong)


def searches() -> Iterator[Hostile]:
    """Yield what POST search refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"metadata":{"a":%b}}' % value, _LIMIT)
    for wrong in _NO_OBJECTS:
        yield _body(f"metadata {wrong!r}", "`$.metadata`", metadata=wrong)
    for member, bounds in (("limit", (0, 201, -1, 2**63, 10**30)), ("offset", (-1, 2**53 + 1, 2**63, 10**30))):
        for wrong in (*bounds, "1", 1.5, True, None, [], {}):
            yield _body(f"{member} {wrong!r:.20}", f"`$.{member}`", **{member: wrong})


def _words(**members: Any) -> Iterator[Hostile]:
    for member in ("name", "description"):
        for wrong in _NO_TEXTS:
            yield _body(f"{member} {wrong!r}", f"`$.{member}`", **members, **{member: wrong})
    for wrong in _NO_TAGS:
        yield _body(f"tags {wrong!r}", "`$.tags", **members, tags=wrong)
    for wrong in _NO_OBJECTS:
        yield _body(f"metadata {wrong!r}", "`$.metadata`", **members, metadata=wrong)


def _body(name: str, names: str, /, **members: Any) -> Hostile:
    return Hostile(name, json.dumps(members).encode(), "invalid-request", names)
