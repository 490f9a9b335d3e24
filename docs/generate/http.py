"""The routes and their bodies, out of the OpenAPI document of the application."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
from docs.generate.tables import code, table

from hosting import create_app

Schema = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_ON_EVERY_ROUTE = "500"


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document, as /openapi.json gives it."""
    return asyncio.run(_ask())


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Return every route as its method, path and description."""
    for path, item in document()["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def routes() -> str:
    """Describe every route: what it does, its parameters, its body and its answers."""
    return "\n\n".join(_route(method, path, operation) for method, path, operation in operations())


def bodies() -> str:
    """Describe the bodies that routes take and give; events are in their own reference."""
    schemas: Mapping[str, Schema] = document()["components"]["schemas"]
    return "\n\n".join(_body(name, schema) for name, schema in sorted(schemas.items()) if not _is_event(schema))


async def _ask() -> dict[str, Any]:
    # Asked for like a client does, without a server or a database: what the routes declare is completed on the way out.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://branchline") as client:
        answer: dict[str, Any] = (await client.get("/openapi.json")).raise_for_status().json()
    return answer


def _route(method: str, path: str, operation: Schema) -> str:
    parts = [
        f"### {code(f'{method} {path}')}",
        operation.get("description") or operation.get("summary", ""),
        _parameters(operation),
        _request(operation),
        _answers(operation),
    ]
    return "\n\n".join(part for part in parts if part)


def _parameters(operation: Schema) -> str:
    rows = [
        (
            code(parameter["name"]),
            parameter["in"],
            _range(parameter.get("schema", {})),
            "required" if parameter.get("required") else _default(parameter.get("schema", {})),
            parameter.get("description", "") or "",
        )
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "path"
    ]
    return table(("parameter", "in", "type", "needed", "means"), rows) if rows else ""


def _request(operation: Schema) -> str:
    body = operation.get("requestBody")
    if not body:
        return ""
    schemas = [_words(media.get("schema", {})) for media in body["content"].values()]
    needed = "" if body.get("required") else " It may be left out."
    return f"Body: {' or '.join(dict.fromkeys(schemas))}.{needed}"


def _answers(operation: Schema) -> str:
    rows = [
        (code(status), _shapes(response.get("content") or {}), _meaning(status, response))
        for status, response in sorted(operation.get("responses", {}).items())
        if status != _ON_EVERY_ROUTE
    ]
    return table(("answer", "body", "means"), rows)


def _shapes(content: Mapping[str, Schema]) -> str:
    shapes = [
        _or_null(media.get("schema", {})) if name.endswith("json") else code(name) for name, media in content.items()
    ]
    return " or ".join(dict.fromkeys(shapes))


def _or_null(schema: Schema) -> str:
    nullable = {"type": "null"} in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return _words(schema) + (f" or {code('null')}" if nullable else "")


def _meaning(status: str, response: Schema) -> str:
    said = response.get("description", "")
    # The framework's word for a status says nothing that the number does not.
    is_stock = said in {HTTPStatus(int(status)).description, HTTPStatus(int(status)).phrase, "Stream Response"}
    headers = ", ".join(code(name) for name in response.get("headers") or ())
    with_headers = f"With the header {headers}." if headers else ""
    return " ".join(filter(None, ("" if is_stock else said, with_headers)))


def _body(name: str, schema: Schema) -> str:
    needed = schema.get("required", ())
    rows = [
        (code(member), _words(shape), _presence(shape, required=member in needed), shape.get("description", ""))
        for member, shape in schema.get("properties", {}).items()
    ]
    members = table(("member", "type", "there", "means"), rows) if rows else _words(schema)
    return "\n\n".join(filter(None, [f"### {name}", schema.get("description", ""), members]))


def _presence(shape: Schema, *, required: bool) -> str:
    if not required and shape.get("default") is not None:
        return _default(shape)
    shapes = [*shape.get("anyOf", ()), *shape.get("oneOf", ())]
    may_be_null = "default" in shape or "null" in shape.get("type", ()) or {"type": "null"} in shapes
    return "when there is one" if may_be_null and not required else "always"


def _words(schema: Schema) -> str:
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    for many in ("oneOf", "anyOf"):
        if many in schema:
            return " or ".join(dict.fromkeys(_words(one) for one in schema[many] if one.get("type") != "null"))
    if schema.get("title", "").isupper():
        return f"[{schema['title']}](events.md#{schema['title'].lower()})"
    if "enum" in schema:
        return ", ".join(code(f'"{value}"') for value in schema["enum"])
    if "const" in schema:
        return code(f'"{schema["const"]}"')
    types = schema.get("type", "any JSON")
    kinds = [types] if isinstance(types, str) else [kind for kind in types if kind != "null"]
    return " or ".join(_kind(kind, schema) for kind in kinds)


def _named(name: str) -> str:
    schema = document()["components"]["schemas"].get(name, {})
    if _is_event(schema):
        return f"[{_event_type(schema)}](events.md#{_event_type(schema).lower()})"
    return f"[{name}](#{name.lower()})"


def _kind(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"array of {_words(schema.get('items', {}))}"
    if kind == "string" and schema.get("format") == "date-time":
        return "time"
    if kind == "object" and "eventId" in schema.get("properties", ()):
        return "[events](events.md#events)"
    if kind == "object" and "properties" in schema:
        return "object with " + ", ".join(code(name) for name in schema["properties"])
    return kind


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f", {low:g} to {high:.0f}" if low is not None and high is not None else ""
    return _words(schema) + bounds


def _default(schema: Schema) -> str:
    return f"optional; {code(schema['default'])} when left out" if schema.get("default") is not None else "optional"


def _is_event(schema: Schema) -> bool:
    return bool(_event_type(schema))


def _event_type(schema: Schema) -> str:
    """Return the wire name that an event's schema fixes in its member `type`; empty when it is no event's."""
    shape = schema.get("properties", {}).get("type", {})
    named = shape.get("const") or next(iter(shape.get("enum", ())), "")
    return named if isinstance(named, str) and named.isupper() else ""
