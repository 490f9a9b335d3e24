"""One look at who is asking, for every request and every WebSocket handshake, before a route is looked for."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from hosting.api.access import note_identity
from hosting.api.callers import Callers
from hosting.api.fleet.renewal import is_about, renewed_worker
from hosting.api.handshake import refuse_handshake
from hosting.api.keyless import Keyless
from hosting.api.problems import core_problem
from hosting.domain.errors import BranchlineError


class CallerGuard:
    """Stands before an application: notes who is asking, or answers whoever nobody knows.

    `free` are paths that need no caller. `callers` is asked only for those who show something, `keyless` for others.
    """

    def __init__(self, app: ASGIApp, callers: Callable[[], Callers], keyless: Keyless, free: Collection[str]) -> None:
        self._app = app
        self._callers = callers
        self._keyless = keyless
        self._free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["path"] not in self._free:
            given = [value for name, value in scope["headers"] if name == b"authorization"]
            try:
                if given:
                    again = partial(self._callers().identify, given, renewed_worker(scope), partial(is_about, scope))
                    note_identity(scope, await again(), again)
                else:
                    note_identity(scope, self._keyless.identify(scope))
            except BranchlineError as error:
                await _refuse(scope, receive, send, error)
                return
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: BranchlineError) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        await refuse_handshake(scope, send, error.code, str(error))
        return
    request = Request[Any, Any, Any](scope, receive, send)
    await core_problem(request, error).to_asgi_response(None, request)(scope, receive, send)
