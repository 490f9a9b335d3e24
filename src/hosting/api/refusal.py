"""Refusing a connection before the framework has it: a request with a problem document, a handshake with the same."""

from typing import Any

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from hosting.api.handshake import refuse_handshake
from hosting.api.problems import MEDIA_TYPE, core_problem, headers_of, problem, status_of
from hosting.domain.errors import BranchlineError


async def refuse(scope: Scope, receive: Receive, send: Send, error: BranchlineError) -> None:
    """Answer with what is wrong; what may still come of the request is dealt with as for every other answer."""
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        await refuse_handshake(scope, send, error.code, str(error))
        return
    request = Request[Any, Any, Any](scope, receive, send)
    await core_problem(request, error).to_asgi_response(None, request)(scope, receive, send)


async def refuse_read(scope: Scope, send: Send, error: BranchlineError) -> None:
    """Answer a request that has come to its end.

    It is done by hand: a crowd that is sent away must cost much less than one that is served.
    """
    status = status_of(error.code)
    body = msgspec.json.encode(problem(scope["path"], status, error.code, str(error)))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        *((name.lower().encode(), value.encode()) for name, value in headers_of(status).items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
