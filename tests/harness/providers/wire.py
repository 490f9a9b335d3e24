"""What a provider's wire format must be able to say."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from tests.harness.providers.steps import Broken, Call, Finish, Reason, Spent, Status, Text


class Wire(Protocol):
    """One answer on one wire; each method returns the bytes that say it."""

    def begin(self) -> bytes:
        """Begin the answer."""
        ...

    def text(self, step: Text) -> bytes:
        """Say a piece of text."""
        ...

    def reason(self, step: Reason) -> bytes:
        """Say a piece of reasoning."""
        ...

    def call(self, step: Call) -> bytes:
        """Begin a call; its fragments follow."""
        ...

    def fragment(self, piece: str) -> bytes:
        """Say a fragment of the arguments of the call that has begun."""
        ...

    def end_call(self) -> bytes:
        """End the call that has begun."""
        ...

    def end(self, spent: Spent | None, finish: Finish | None) -> bytes:
        """End the answer."""
        ...

    def broken(self, step: Broken) -> bytes:
        """Tell an error inside of the stream."""
        ...

    def error(self, step: Status) -> dict[str, Any]:
        """Return the body of an answer that is an error."""
        ...


def sse(*datas: dict[str, Any], named: bool = False) -> bytes:
    """Return events of a stream; `named` ones say their type on a line of its own."""
    return b"".join(_frames(datas, named=named))


def _frames(datas: tuple[dict[str, Any], ...], *, named: bool) -> Iterator[bytes]:
    for data in datas:
        name = f"event: {data['type']}\n" if named else ""
        yield f"{name}data: {json.dumps(data)}\n\n".encode()
