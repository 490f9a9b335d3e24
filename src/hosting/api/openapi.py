"""The API's description, /openapi.json: what the framework finds out, and what it cannot know.

It cannot know the bodies, since routes decode them from raw bytes, nor which problems a route answers with.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute
from msgspec.structs import FieldInfo

from events.catalog import Catalog
from events.client_tools import ClientToolInput
from events.event import Event
from events.inputs import ChatMessage, Input, UserTextInput
from events.interactions import Response as Answer
from events.interruption import InterruptionRequest
from hosting.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, Problem, status_of

Json = dict[str, Any]

_PATH: Final = "/openapi.json"
_REFERENCE: Final = "#/components/schemas/{name}"
_TAKES: Final = "takes"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_ID: Final = r"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$"
_CHOSEN_IDS: Final = (("CreateSession", "sessionId"), ("CreateBranch", "branchId"), ("ChatMessage", "messageId"))
_LOG: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"],
        "properties": {
            "version": {"const": "1.0"},
            "type": {"type": "string"},
            "eventId": {"type": "string"},
            "sequenceNumber": {"type": "integer", "minimum": 1},
            "timestamp": {"type": "string", "format": "date-time"},
            "sessionId": {"type": "string"},
            "branchId": {"type": "string"},
        },
    },
}
_CONTENTS: Final = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "required": ["$type", "text"],
        "properties": {"$type": {"const": "text"}, "text": {"type": "string"}},
    },
}
_DURATION: Final = {"type": ["string", "null"], "examples": ["PT5M", "00:05:00"]}
_RUN_CONFIG: Final = {
    "type": ["object", "null"],
    "properties": {
        "runTimeout": _DURATION,
        "permissionTimeout": _DURATION,
        "continuationTimeout": _DURATION,
        "clarificationTimeout": _DURATION,
        "clientToolTimeout": _DURATION,
        "permissionOverrides": {"type": ["object", "null"], "additionalProperties": {"type": "boolean"}},
        "clientToolInput": {"anyOf": [{"$ref": "#/components/schemas/ClientToolInput"}, {"type": "null"}]},
    },
    "additionalProperties": False,
}
_ENVELOPES: Final = (Input, Answer)
_GIVEN_BY_LOG: Final = frozenset(field.encode_name for field in msgspec.structs.fields(Event))
_CUSTOM: Final = {
    "type": "object",
    "title": "A custom response",
    "description": "Whatever else the server knows as a response, with its own members.",
    "required": ["type", "requestId"],
    "properties": {"type": {"type": "string"}, "requestId": {"type": "string"}},
}
_STARTS_A_RUN: Final = {"postInput"}
_LOCATION_OF_RUN: Final = {"Location": {"description": "The run that is meant.", "schema": {"type": "string"}}}
_HEADERS: Final[dict[str, dict[str, Json]]] = {
    "201": {"Location": {"description": "Where to find it.", "schema": {"type": "string"}}},
    "429": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "default": RETRY_AFTER_SECONDS}}},
    "503": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "default": RETRY_AFTER_SECONDS}}},
}


def takes(body: type[msgspec.Struct]) -> dict[str, Any]:
    """Document the body that a route decodes by itself; hand it to the route as its `opt`."""
    return {_TAKES: body}


def answers(*codes: str) -> dict[int, ResponseSpec]:
    """Document the problems that a route answers with, besides the one that every route may have."""
    by_status: dict[int, list[str]] = {}
    for code in (*codes, "internal-error"):
        by_status.setdefault(status_of(code), []).append(code)
    return {
        status: ResponseSpec(
            Problem, generate_examples=False, description=f"Problem: {', '.join(named)}.", media_type=MEDIA_TYPE
        )
        for status, named in sorted(by_status.items())
    }


def documentation() -> OpenAPIConfig:
    """Return what the framework needs to serve /openapi.json."""
    return OpenAPIConfig(
        title="Branchline",
        version=version("branchline"),
        path="/",
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, method, path: _operation_id(handler),
        render_plugins=[_Document()],
    )


class _Document(JsonRenderPlugin):
    """Renders the framework's description once, with what it lacks put in."""

    def __init__(self) -> None:
        super().__init__(path=_PATH, media_type=MediaType.JSON)
        self._rendered = b""

    def receive_router(self, router: Router) -> None:
        # The framework would also serve it under /, and answer every unknown path beside it with a page of HTML.
        router.routes = [route for route in router.routes if route.path == _PATH]

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        if not self._rendered:
            self._rendered = msgspec.json.encode(_completed(openapi_schema, _bodies_of(request.app)))
        return self._rendered


def _operation_id(handler: HTTPRouteHandler) -> str:
    first, *others = handler.handler_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _bodies_of(app: Litestar) -> dict[str, type[msgspec.Struct]]:
    return {
        _operation_id(handler): handler.opt[_TAKES]
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if _TAKES in handler.opt
    }


def _completed(document: Json, bodies: dict[str, type[msgspec.Struct]]) -> Json:
    schemas = document["components"]["schemas"]
    schemas |= _schemas_of_bodies([body for body in bodies.values() if body not in _ENVELOPES])
    for operation in _operations(document):
        operation["summary"] = operation["description"].partition("\n")[0].removesuffix(".")
        body = bodies.get(operation["operationId"])
        if body is not None:
            operation["requestBody"] = _request_body(body)
        _mend_responses(operation["responses"])
        if operation["operationId"] in _STARTS_A_RUN:
            operation["responses"]["202"]["headers"] = _LOCATION_OF_RUN
    return document


def _operations(document: Json) -> Iterator[Json]:
    return (item[method] for item in document["paths"].values() for method in _METHODS if method in item)


def _mend_responses(responses: Json) -> None:
    if MEDIA_TYPE not in responses.get("400", {"content": {MEDIA_TYPE: {}}})["content"]:
        # The framework expects every parameter to be refusable; those of these routes are plain text.
        del responses["400"]
    for status, headers in _HEADERS.items():
        if status in responses:
            responses[status].setdefault("headers", {}).update(headers)
    for success in (response for status, response in responses.items() if status < "300"):
        for media_type, content in success.get("content", {}).items():
            if media_type == "text/event-stream":
                content["schema"] = {"type": "string", "contentMediaType": media_type}
            elif not content["schema"]:
                content["schema"] = _LOG


def _request_body(body: type[msgspec.Struct]) -> Json:
    if body not in _ENVELOPES:
        return {"required": False, "content": {"application/json": {"schema": _reference(body.__name__)}}}
    envelopes = [_envelope(name, cls) for name, cls in _catalogued(body)]
    interrupt = _envelope(InterruptionRequest.wire_type, InterruptionRequest)
    others = [_reference(UserTextInput.__name__), interrupt] if body is Input else [_CUSTOM]
    return {"required": True, "content": {"application/json": {"schema": {"anyOf": [*others, *envelopes]}}}}


def _schemas_of_bodies(bodies: list[type[msgspec.Struct]]) -> dict[str, Json]:
    schemas = _schemas(*bodies, *(cls for kind in _ENVELOPES for _, cls in _catalogued(kind)), ClientToolInput)
    closed: list[type[msgspec.Struct]] = [*bodies, UserTextInput]
    for cls in closed:
        schemas[cls.__name__]["additionalProperties"] = False
    schemas[UserTextInput.__name__]["properties"]["text"]["minLength"] = 1
    schemas[ChatMessage.__name__]["properties"]["contents"] = _CONTENTS
    for name, member in _CHOSEN_IDS:
        _pattern(schemas[name]["properties"][member])
    return schemas


def _schemas(*bodies: type[msgspec.Struct]) -> dict[str, Json]:
    _, schemas = msgspec.json.schema_components(map(_without_raw, bodies), ref_template=_REFERENCE)
    for cls in bodies:
        for member in msgspec.structs.fields(cls):
            if member.type is msgspec.Raw:
                schemas[cls.__name__]["properties"][member.encode_name] = _RUN_CONFIG
    return schemas


def _without_raw(cls: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a class of the same members but those that are kept as bytes, which cannot be described."""
    members = [
        (member.encode_name, member.type, _default(member))
        for member in msgspec.structs.fields(cls)
        if member.type is not msgspec.Raw
    ]
    return msgspec.defstruct(cls.__name__, members, namespace={"__doc__": cls.__doc__}, kw_only=True)


def _default(member: FieldInfo) -> Any:
    if member.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=member.default_factory)
    return member.default


def _pattern(schema: Json) -> None:
    for shape in schema.get("anyOf", [schema]):
        if shape.get("type") == "string":
            shape["pattern"] = _ID


def _catalogued(kind: type[msgspec.Struct]) -> list[tuple[str, type[Input] | type[Event]]]:
    return [(name, cls) for name, cls in Catalog.standard() if issubclass(cls, kind)]


def _envelope(name: str, cls: type[msgspec.Struct]) -> Json:
    """Describe an envelope: its payload and `type`; members that nobody knows are ignored."""
    members = _schemas(cls)[cls.__name__]
    properties = {"type": {"const": name}, **members["properties"]}
    for member in _GIVEN_BY_LOG.intersection(properties) if issubclass(cls, Event) else ():
        del properties[member]
    return {
        "type": "object",
        "title": name,
        "required": ["type", *members.get("required", ())],
        "properties": properties,
    }


def _reference(name: str) -> Json:
    return {"$ref": _REFERENCE.format(name=name)}
