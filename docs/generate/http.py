"""The routes, out of the OpenAPI document of the application."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from docs.generate.openapi import Schema, codes_in, operations, response_of
from docs.generate.problems import codes
from docs.generate.schemas import default, or_null, range_of, words
from docs.generate.tables import code, table

from hosting.api.openapi_problems import EVERYWHERE, OF_CALLERS

_STREAMS = {
    "x-event-stream": "What is streamed is in [wire.md](wire.md#live-feeds).",
    "x-websocket": "What goes over it, and how it is closed, is in [wire.md](wire.md#websockets).",
}


_OF_CALLERS = tuple(name for name in OF_CALLERS if codes()[name][0] in {401, 403})
_WITHOUT_SAYING = {*EVERYWHERE, *_OF_CALLERS}


def routes() -> str:
    """Describe every route: what it does, its parameters, its body and its answers."""
    return "\n\n".join(_route(method, path, operation) for method, path, operation in operations())


def everywhere() -> str:
    """Describe the problems that any route may answer with."""
    rows = [(code(name), str(codes()[name][0]), codes()[name][1]) for name in (*EVERYWHERE, *_OF_CALLERS)]
    return table(("code", "status", "means"), rows)


def _route(method: str, path: str, operation: Schema) -> str:
    parts = [
        f"### {code(f'{method} {path}')}",
        operation["description"],
        _roles(operation),
        *_streams(operation),
        _parameters(operation),
        _request(operation),
        table(("answer", "body", "means"), _answers(operation)),
    ]
    return "\n\n".join(part for part in parts if part)


def _roles(operation: Schema) -> str:
    roles = " or ".join(f"`{role}`" for role in operation.get("x-roles", ()))
    return f"For callers with the role {roles}." if roles else "For everybody, without a key."


def _streams(operation: Schema) -> Iterator[str]:
    contents = (media for response in operation["responses"].values() for media in response.get("content", {}).values())
    for described in (operation, *contents):
        yield from (sentence for extension, sentence in _STREAMS.items() if extension in described)


def _parameters(operation: Schema) -> str:
    rows = [
        (
            code(parameter["name"]),
            parameter["in"],
            range_of(parameter["schema"]),
            "required" if parameter["required"] else default(parameter["schema"]),
            parameter["description"],
        )
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "path"
    ]
    return table(("parameter", "in", "type", "needed", "means"), rows) if rows else ""


def _request(operation: Schema) -> str:
    body = operation.get("requestBody")
    if not body:
        return ""
    shapes = [words(media["schema"]) for media in body["content"].values()]
    needed = "" if body["required"] else " It may be left out."
    return f"Body: {' or '.join(dict.fromkeys(shapes))}.{needed}"


def _answers(operation: Schema) -> Iterator[tuple[str, str, str]]:
    for status, given in sorted(operation["responses"].items()):
        response = response_of(given)
        named = codes_in(response)
        if not named:
            yield code(status), _shapes(response.get("content", {})), _meaning(status, response)
        elif _is_its_own(operation, named):
            yield code(status), "[Problem](#problem)", ", ".join(code(name) for name in named)


def _is_its_own(operation: Schema, named: Sequence[str]) -> bool:
    """Say whether a route answers with a problem by itself: what goes without saying is said once, above the routes."""
    if any(name not in _WITHOUT_SAYING for name in named):
        return True
    takes_something = "requestBody" in operation or any(one["in"] == "query" for one in operation.get("parameters", ()))
    return "invalid-request" in named and takes_something


def _shapes(content: Mapping[str, Schema]) -> str:
    shapes = [or_null(media["schema"]) if name.endswith("json") else code(name) for name, media in content.items()]
    return " or ".join(dict.fromkeys(shapes))


def _meaning(status: str, response: Schema) -> str:
    said = response["description"]
    # The word for a status says nothing that the number does not.
    is_stock = said == HTTPStatus(int(status)).phrase
    headers = ", ".join(code(name) for name in response.get("headers", ()))
    with_headers = f"With the header {headers}." if headers else ""
    return " ".join(filter(None, ("" if is_stock else said, with_headers)))
