"""One look at who is asking, for every request and every WebSocket handshake, before a route is looked for."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send

from hosting.api.access import note_identity
from hosting.api.callers import Callers
from hosting.api.fleet.renewal import is_about, renewed_worker
from hosting.api.keyless import Keyless
from hosting.api.refusal import refuse
from hosting.api.shares import Shares
from hosting.domain.errors import BranchlineError, StorageUnavailable


class Tolerance(Protocol):
    """Knows the routes that answer also when the store cannot tell who is asking."""

    def seconds(self, scope: Scope) -> float | None:
        """Return how long the store may take to tell; None for all other routes."""
        ...

    def answer(self, scope: Scope, why: object) -> Response[bytes]:
        """Return what such a route answers then."""
        ...


class CallerGuard:
    """Stands before an application: notes who is asking, or answers whoever nobody knows.

    `free` are paths that need no caller. `callers` is asked only for those who show something, `keyless` for others.
    `tolerance` knows the routes that answer also when the store cannot tell who it is.
    `shares` learn who it was, and forget whom nobody knows any more.
    """

    def __init__(
        self,
        app: ASGIApp,
        callers: Callable[[], Callers],
        keyless: Keyless,
        free: Collection[str],
        tolerance: Tolerance,
        shares: Shares,
    ) -> None:
        self._app = app
        self._shares = shares
        self._tolerance = tolerance
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
                    async with asyncio.timeout(self._tolerance.seconds(scope)):
                        identity = await again()
                    note_identity(scope, identity, again)
                    self._shares.learn(scope, identity)
                else:
                    note_identity(scope, self._keyless.identify(scope))
            except (StorageUnavailable, TimeoutError) as error:
                await self._without_store(scope, receive, send, error)
                return
            except BranchlineError as error:
                self._shares.forget(scope)
                await refuse(scope, receive, send, error)
                return
        await self._app(scope, receive, send)

    async def _without_store(self, scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
        if self._tolerance.seconds(scope) is not None:
            request = Request[Any, Any, Any](scope, receive, send)
            await self._tolerance.answer(scope, error).to_asgi_response(None, request)(scope, receive, send)
            return
        unavailable = error if isinstance(error, StorageUnavailable) else StorageUnavailable("it takes too long")
        await refuse(scope, receive, send, unavailable)
