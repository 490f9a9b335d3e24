"""OPTIONS: which methods a route answers.

The framework's own answer names those of one handler, where a path has several.
"""

from collections.abc import Iterable

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from hosting.api.head import allow_header


def options_of(handlers: Iterable[ControllerRouterHandler]) -> list[HTTPRouteHandler]:
    """Return a handler for each path of these, which names the methods of all of them; register it before them."""
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_options(path, allow_header(allowed)) for path, allowed in methods.items()]


def _options(path: str, allowed: str) -> HTTPRouteHandler:
    @route(path, http_method="OPTIONS", status_code=204, include_in_schema=False)
    async def options() -> Response[None]:
        return Response(None, headers={"Allow": allowed})

    return options
