"""The API's description, /openapi.json, and what routes tell it about themselves."""

from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Router
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin

from hosting.api.openapi_document import REFUSES, TAKES, completed, operation_id
from hosting.api.openapi_problems import problem_specs

PATH: Final = "/openapi.json"


def takes(body: type[msgspec.Struct]) -> dict[str, Any]:
    """Document the body that a route decodes by itself; hand it to the route as its `opt`."""
    return {TAKES: body}


def refuses(reply: type[msgspec.Struct], *statuses: int) -> dict[str, Any]:
    """Document what a route may answer with beside problems, under these statuses; it is a part of its `opt`."""
    return {REFUSES: (reply, statuses)}


def answers(*codes: str) -> dict[int, ResponseSpec]:
    """Document the problems that a route answers with, besides those that every route may have."""
    return problem_specs(codes)


def documentation() -> OpenAPIConfig:
    """Return what the framework needs to serve /openapi.json."""
    return OpenAPIConfig(
        title="Branchline",
        version=version("branchline"),
        path="/",
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, method, path: operation_id(handler),
        render_plugins=[_Document()],
    )


class _Document(JsonRenderPlugin):
    """Renders the framework's description once, with what it lacks put in."""

    def __init__(self) -> None:
        super().__init__(path=PATH, media_type=MediaType.JSON)
        self._rendered = b""

    def receive_router(self, router: Router) -> None:
        # The framework would also serve it under /, and answer every unknown path beside it with a page of HTML.
        router.routes = [route for route in router.routes if route.path == PATH]

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if not self._rendered:
            self._rendered = msgspec.json.encode(completed(openapi_schema, request.app))
        return self._rendered
