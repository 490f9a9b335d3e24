"""OPTIONS: which methods a route answers.

The framework's own answer names those of one handler, where a path has several.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from hosting.api.head import allow_header

_PARAMETER_TYPE: Final = re.compile(r":\w+(?=\})")


def options_of(handlers: Iterable[ControllerRouterHandler]) -> HTTPRouteHandler:
    """Return a handler for the paths of all these, which names the methods of a path; register it before them.

    One for all: a start pays for each handler, and there are as many paths as handlers.
    """
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    # Of what a path is called while it is asked for, the types of its parameters are no part.
    allowed = {_PARAMETER_TYPE.sub("", path): allow_header(of_path) for path, of_path in methods.items()}

    @route(list(methods), http_method="OPTIONS", status_code=204, include_in_schema=False)
    async def options(request: Request[Any, Any, Any]) -> Response[None]:
        return Response(None, headers={"Allow": allowed[request.scope["path_template"]]})

    return options
