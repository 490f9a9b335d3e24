"""All routes of the application, read from its own table: a route that is added is in it without a word."""

import re
from dataclasses import dataclass

from litestar.handlers.base import BaseRouteHandler
from litestar.routes import HTTPRoute, WebSocketRoute

from hosting import create_app
from hosting.api.access import roles_of
from hosting.api.routes import free_paths
from hosting.domain.identity import Role

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True)
class Route:
    """A method on a path, and the roles that it takes; `headers` make it a handshake where it is a WebSocket's."""

    method: str
    path: str
    roles: frozenset[Role] | None
    is_socket: bool = False

    def __str__(self) -> str:
        return f"{'WS' if self.is_socket else self.method} {self.path}"

    @property
    def names(self) -> set[str]:
        """The names of the things that stand in its path."""
        return set(re.findall(r"{(\w+)", self.path))

    @property
    def is_of_the_fleet(self) -> bool:
        """Whether workers ask for it, or who runs them."""
        return self.path.startswith(("/api/", "/v1/"))

    @property
    def headers(self) -> dict[str, str]:
        """What a request for it has to say."""
        return HANDSHAKE if self.is_socket else {}

    def at(self, places: dict[str, str]) -> str:
        """Return its path with the names of things in it."""
        parts = (part.strip("{}").partition(":")[0] if part.startswith("{") else None for part in self.path.split("/"))
        return "/".join(
            literal if name is None else places.get(name, "no-such-thing")
            for literal, name in zip(self.path.split("/"), parts, strict=True)
        )


def each_route() -> list[Route]:
    """Return every route that needs a caller, but those that only name methods."""
    return [
        Route(method, route.path, roles_of(handler.opt), is_socket=isinstance(route, WebSocketRoute))
        for route in create_app().routes
        if route.path not in free_paths()
        for handler in _handlers(route)
        for method in sorted(getattr(handler, "http_methods", {"GET"}) - {"OPTIONS"})
    ]


def _handlers(route: object) -> list[BaseRouteHandler]:
    if isinstance(route, HTTPRoute):
        return list(route.route_handlers)
    assert isinstance(route, WebSocketRoute), f"{route} is of a kind that nobody has thought of here"
    return [route.route_handler]
