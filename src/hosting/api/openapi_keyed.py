"""What routes say that take an Idempotency-Key."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from hosting.api.once import HEADER, REPLAYED
from hosting.api.openapi_problems import ProblemSpec
from hosting.api.openapi_schemas import TEXT, Json
from hosting.domain.keyed_errors import RequestDiffers

_PARAMETER: Final[Json] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A key of the client's own for this request: sent again with it, the request has no second effect.",
    "schema": {**TEXT, "pattern": '^("[\\x21\\x23-\\x7e]{1,255}"|[\\x21\\x23-\\x7e]{1,255})$'},
}
_REPLAYED: Final[Json] = {
    REPLAYED: {
        "description": "`true` when the answer was given before, to the same request.",
        "required": False,
        "schema": {"const": "true"},
    }
}


def describe_keyed(operation: Json, handler: HTTPRouteHandler) -> None:
    """Add the header that a route takes, if it answers to a key that comes again with another body."""
    specs = (handler.responses or {}).values()
    if not any(RequestDiffers.code in spec.codes for spec in specs if isinstance(spec, ProblemSpec)):
        return
    operation["parameters"] = [*operation.get("parameters", ()), _PARAMETER]
    answer = operation["responses"][str(handler.status_code)]
    answer["headers"] = answer.get("headers", {}) | _REPLAYED
