"""A look at the route that a request is for, and whether there is a place for one more stream."""

from functools import partial
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from hosting.api.access import identity_of
from hosting.api.capacity import Capacity
from hosting.api.refusal import refuse
from hosting.domain.errors import BranchlineError
from hosting.domain.overload_errors import TooManyStreams, refuse_full
from hosting.domain.scope import TenantId

_STREAM: Final = "text/event-stream"


class StreamPlaces:
    """Stands between the framework's router and its handlers: a stream has a place for as long as it lasts."""

    def __init__(self, app: ASGIApp, capacity: Capacity) -> None:
        self._app = app
        self._capacity = capacity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        handler = scope["route_handler"]
        if scope["type"] == ScopeType.WEBSOCKET or getattr(handler, "media_type", None) == _STREAM:
            await self._stream(identity_of(scope).tenant, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _stream(self, tenant: TenantId, scope: Scope, receive: Receive, send: Send) -> None:
        streams = self._capacity.streams
        try:
            refuse_full(streams.take(tenant), partial(TooManyStreams, streams.most_of_one))
        except BranchlineError as error:
            await refuse(scope, receive, send, error)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            streams.give_back(tenant)
