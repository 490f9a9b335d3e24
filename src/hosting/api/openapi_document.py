"""The API's description as it is served: what the framework finds out, with what it cannot know put in.

It cannot know the bodies, since routes decode them from raw bytes, nor which problems a route answers with, nor how
an event looks.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from hosting.api.access import roles_of
from hosting.api.openapi_answers import success_response
from hosting.api.openapi_bodies import RUN_CONFIG, describe_bodies, request_body
from hosting.api.openapi_contents import DOWNLOADS, UPLOADS, describe_download, describe_upload
from hosting.api.openapi_events import LOGGED, describe_events
from hosting.api.openapi_keyed import describe_keyed
from hosting.api.openapi_problems import OF_CALLERS, Problems, ProblemSpec, describe_problem
from hosting.api.openapi_schemas import NULL, TEXT, Json, Schemas, reference
from hosting.api.openapi_streams import (
    CREDENTIALS,
    FEED,
    INTERVIEW,
    LINES,
    POSITION_PARAMETERS,
    SOCKET,
    describe_credentials,
    describe_feed,
    describe_interview,
    describe_lines,
    describe_socket,
)
from hosting.api.problems import is_of_the_fleet, status_of
from hosting.domain.definition import AgentConfig

TAKES: Final = "takes"
REFUSES: Final = "refuses"

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_RAW: Final[Mapping[str, Json]] = {
    "runConfig": reference(RUN_CONFIG),
    "request": reference(LOGGED),
    "config": reference(AgentConfig.__name__),
    "response": {"type": "object", "description": "The envelope of an answer."},
}
_INFO: Final[Json] = {
    "description": (
        "A server that hosts agents. Errors are problem documents (RFC 9457), and each answer names the `code`s that it"
        " comes with. Unknown query parameters are ignored. HEAD is answered as GET is, without the body;"
        " `x-outside-routes` says what is answered to OPTIONS, and to a path or a method that is not here."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
_MEANS: Final[Mapping[str, str]] = {
    "agent_id": "The agent.",
    "session_id": "The session.",
    "branch_id": "The branch; every session has `main`.",
    "run_id": "The run.",
    "content_id": "The content.",
    "worker_id": "The worker.",
    "worker": "The worker that asks, when its token does not say so.",
    "name": "A name that something is kept under; can be repeated.",
    "scope": "Whether it is kept with the branch or with the session.",
    "request_id": "The question.",
    "lane": "`batch`, `kg-extract` or `landing`.",
    "workerId": "The worker that asks, when its token does not say so.",
    "filePath": "A file.",
    "filePaths": "A file; can be repeated.",
    "environment": "The environment, such as `production`.",
    "limit": "At most so many.",
    "offset": "Leave out so many of the first ones.",
    "recursive": "Delete its forks, and theirs, too.",
    "force": "Interrupt what runs there first.",
}
_OPTIONS: Final[Json] = {
    "description": "The methods of the route. A listed origin that asks before it sends has the CORS headers too.",
    "headers": {"Allow": {"description": "The methods that the route answers.", "schema": TEXT}},
}


_BEARER: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `branchline keys create`, or the token of a worker. Who asks from the server's own machine"
    " and shows nothing is tenant `local`, in every role. `x-roles` of a route are those that may ask for it.",
}
_SECURITY: Final[list[Json]] = [{"bearer": []}, {}]


def operation_id(handler: HTTPRouteHandler) -> str:
    """Return the name of a route in the description: `getAgentRun` for `get_agent_run`."""
    first, *others = handler.handler_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def completed(document: Json, app: Litestar) -> Json:
    """Put what is missing into the framework's description of an application."""
    handlers = {operation_id(handler): handler for handler in _handlers(app)}
    schemas, problems = Schemas(_RAW), Problems()
    describe_events(schemas)
    describe_bodies(schemas)
    describe_problem(schemas)
    for operation in _operations(document):
        _complete(operation, schemas, problems, handlers[operation["operationId"]])
    document["info"] |= _INFO
    document["x-outside-routes"] = {
        "unknown path": {"404": problems.response(404, ["not-found"])},
        "unknown method": {"405": problems.response(405, ["method-not-allowed"])},
        "OPTIONS": {"204": _OPTIONS},
    }
    document["components"] = {
        "securitySchemes": {"bearer": _BEARER},
        "responses": dict(sorted(problems.named.items())),
        "schemas": dict(sorted(schemas.named.items())),
    }
    return document


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    routes = (route for route in app.routes if isinstance(route, HTTPRoute))
    return (handler for route in routes for handler in route.route_handlers)


def _operations(document: Json) -> Iterator[Json]:
    return (item[method] for item in document["paths"].values() for method in _METHODS if method in item)


def _complete(operation: Json, schemas: Schemas, problems: Problems, handler: HTTPRouteHandler) -> None:
    operation["summary"] = operation["description"].partition("\n")[0].removesuffix(".")
    operation["tags"] = [handler.fn.__module__.rpartition(".")[2]]
    del operation["deprecated"]
    body: type[msgspec.Struct] | None = handler.opt.get(TAKES)
    if body is not None:
        operation["requestBody"] = request_body(schemas, body, is_strict=not is_of_the_fleet(min(handler.paths)))
    if roles := roles_of(handler.opt):
        operation |= {"security": _SECURITY, "x-roles": sorted(roles)}
    operation["responses"] = {
        str(handler.status_code): success_response(schemas, handler),
        **_refusals(problems, handler),
    }
    refusal, statuses = handler.opt.get(REFUSES, (None, ()))
    for status in statuses:
        described = problems.spelled_out(operation["responses"][str(status)])
        described["content"]["application/json"] = {"schema": schemas.written(refusal)}
        operation["responses"][str(status)] = described
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", ())]
    if operation["operationId"] in {FEED, SOCKET}:
        parameters += POSITION_PARAMETERS
    if parameters:
        operation["parameters"] = parameters
    describe_keyed(operation, handler)
    _describe_stream(operation)


def _describe_stream(operation: Json) -> None:
    name, responses = operation["operationId"], operation["responses"]
    if name == FEED:
        describe_feed(responses["200"])
    if name == SOCKET:
        describe_socket(operation)
    if name == INTERVIEW:
        describe_interview(responses)
    if name == CREDENTIALS:
        describe_credentials(responses["200"])
    if name == LINES:
        describe_lines(responses["200"])
    if name in UPLOADS:
        describe_upload(operation)
    if name in DOWNLOADS:
        describe_download(responses)


def _refusals(problems: Problems, handler: HTTPRouteHandler) -> Json:
    specs = (handler.responses or {}).items()
    known = {status: spec.codes for status, spec in specs if isinstance(spec, ProblemSpec)}
    for code in OF_CALLERS if roles_of(handler.opt) else ():
        known[status_of(code)] = tuple(dict.fromkeys((*known.get(status_of(code), ()), code)))
    return {str(status): problems.response(status, codes) for status, codes in sorted(known.items())}


def _parameter(given: Json) -> Json:
    name: str = given["name"]
    return {
        "name": name,
        "in": given["in"],
        "required": given["required"],
        "description": given.get("description") or _MEANS[name],
        "schema": {key: _whole(value) for key, value in _not_null(given["schema"]).items()},
    }


def _not_null(schema: Json) -> Json:
    """Return the schema of a parameter that is there: one that may be left out cannot be null for all that."""
    choices = [one for one in schema.get("oneOf", ()) if one != NULL]
    if len(choices) != 1:
        return schema
    return {**choices[0], **{key: value for key, value in schema.items() if key not in {"oneOf", "description"}}}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
