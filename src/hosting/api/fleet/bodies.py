"""Bodies from workers: what they say beyond what is known is left alone (docs/reference/worker-protocol.md)."""

from typing import Any, TypeVar

import msgspec
from litestar import Request

from hosting.api.bodies import read_body
from hosting.domain.errors import InvalidRequest
from hosting.domain.sentences import plain_sentence

S = TypeVar("S", bound=msgspec.Struct)


async def read_report(request: Request[Any, Any, Any], cls: type[S]) -> S:
    """Read a body whose unknown members are ignored; an empty one stands for `{}`.

    Raises:
        ApiError, InvalidRequest: it cannot be taken.
    """
    body = await read_body(request) or b"{}"
    try:
        return msgspec.json.decode(body, type=cls)
    except msgspec.ValidationError as error:
        raise InvalidRequest(plain_sentence(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest("The body is no JSON.") from error
