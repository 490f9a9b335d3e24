"""What a route answers with when it does what was asked."""

from http import HTTPStatus
from types import UnionType
from typing import Any, Final, get_args, get_origin

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from hosting.api.openapi_events import LOGGED
from hosting.api.openapi_schemas import TEXT, Json, Schemas, reference
from hosting.api.problems import is_of_the_fleet

_LOCATION: Final[Json] = {"Location": {"description": "Where to find it.", "required": True, "schema": TEXT}}
_LINK: Final[Json] = {
    "Link": {"description": 'The next page, `rel="next"`, while there is one.', "required": False, "schema": TEXT}
}
_LOG: Final[Json] = {"type": "array", "items": reference(LOGGED)}
_ANSWERED_WITH_LOCATION: Final = frozenset((("post_input", HTTPStatus.ACCEPTED),))
_WITHOUT_BODY: Final = frozenset((HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.NO_CONTENT))


def success_response(schemas: Schemas, handler: HTTPRouteHandler) -> Json:
    """Describe the answer of a handler, by the type that it says it returns."""
    status = HTTPStatus(handler.status_code)
    response: Json = {"description": status.phrase}
    if _says_where(handler, status):
        response["headers"] = _LOCATION
    kind = handler.parsed_fn_signature.return_type.annotation
    if status in _WITHOUT_BODY or _frames_itself(kind):
        return response
    if kind is Stream:
        response["headers"] = _LINK
    return response | {"content": {"application/json": {"schema": _schema(schemas, kind)}}}


def _says_where(handler: HTTPRouteHandler, status: HTTPStatus) -> bool:
    # What workers and operators of the fleet make is answered with its id, and workers follow no Location.
    is_made = status is HTTPStatus.CREATED and not is_of_the_fleet(min(handler.paths))
    return is_made or (handler.handler_name, status) in _ANSWERED_WITH_LOCATION


def _frames_itself(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response) and kind is not Stream


def _schema(schemas: Schemas, kind: Any) -> Json:
    if kind is Stream:
        return _LOG
    if get_origin(kind) is Response:
        return _schema(schemas, get_args(kind)[0])
    if isinstance(kind, UnionType):
        return {"anyOf": [schemas.written(one) for one in get_args(kind)]}
    return schemas.written(kind)
