"""Bodies from workers: what they say beyond what is known is left alone (docs/reference/worker-protocol.md)."""

from typing import Any, TypeVar

import msgspec
from litestar import Request

from events import strict
from hosting.api.bodies import decode_report, read_body

S = TypeVar("S", bound=msgspec.Struct)


async def read_report(request: Request[Any, Any, Any], cls: type[S]) -> S:
    """Read a body whose unknown members are ignored; an empty one stands for `{}`.

    Raises:
        ApiError, InvalidRequest: it cannot be taken.
    """
    return await decode_report(await read_body(request), cls)


async def report_text(request: Request[Any, Any, Any]) -> bytes:
    """Return a body that `read_report` has taken, as it read it."""
    return strict.mended(await request.body()) or b"{}"
