"""The operations of an OpenAPI document, as calls can be made of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hosting.adapters.models.openapi_schema import Document, Schemas

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
_BODIES: Final = ("application/json", "application/x-www-form-urlencoded", "text/plain")
# Said by the client, or by the operator as `headers`: never by a model.
_OWN_HEADERS: Final = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "cookie", "host", "transfer-encoding"}
)
_LONGEST_DESCRIPTION: Final = 1024


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that goes into the path, the query or the headers; `argument` is what a model calls it."""

    argument: str
    name: str
    place: str
    required: bool
    schema: Any
    style: str
    explode: bool
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent along."""

    argument: str
    media_type: str
    required: bool
    schema: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a service does."""

    id: str
    method: str
    path: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    definitions: Mapping[str, Any]

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        told: list[Parameter | Body] = [*self.parameters, *([] if self.body is None else [self.body])]
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {each.argument: each.schema for each in told},
            "required": [each.argument for each in told if each.required],
            "additionalProperties": False,
        }
        return {**schema, "$defs": dict(self.definitions)} if self.definitions else schema


def operations_of(document: Document) -> Iterator[Operation]:
    """Read the operations that can be called with what JSON can say; others, such as uploads, are left out.

    Raises:
        BrokenReference: a reference leads nowhere.
    """
    paths = document.root.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        followed = document.followed(item)
        if not isinstance(followed, dict) or not path.startswith("/"):
            continue
        for method in METHODS:
            described = followed.get(method)
            if isinstance(described, dict):
                operation = _operation(document, path, method, followed, described)
                if operation is not None:
                    yield operation


def _operation(
    document: Document, path: str, method: str, item: Mapping[str, Any], described: Mapping[str, Any]
) -> Operation | None:
    schemas = Schemas(document)
    parameters = _parameters(document, schemas, [*_listed(item), *_listed(described)])
    said = document.followed(described.get("requestBody"))
    body = _body(schemas, said if isinstance(said, dict) else {}, {each.argument for each in parameters})
    needs_other = isinstance(said, dict) and said.get("required") is True and body is None
    placed = {each.name for each in parameters if each.place == "path"}
    if needs_other or _has_gaps(path, placed) or any(each.place == "cookie" for each in parameters):
        return None
    return Operation(
        id=described["operationId"] if isinstance(described.get("operationId"), str) else _id_of(method, path),
        method=method.upper(),
        path=path,
        description=_description(described, method, path),
        parameters=tuple(parameters),
        body=body,
        definitions=schemas.definitions,
    )


def _has_gaps(path: str, placed: set[str]) -> bool:
    """Say whether a path has places that no parameter fills."""
    return not set(re.findall(r"\{([^{}]*)\}", path)) <= placed


def _listed(node: Mapping[str, Any]) -> list[Any]:
    listed = node.get("parameters")
    return listed if isinstance(listed, list) else []


def _parameters(document: Document, schemas: Schemas, listed: list[Any]) -> list[Parameter]:
    # An operation's own say otherwise what its path says of all.
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for each in listed:
        said = document.followed(each)
        if isinstance(said, dict) and isinstance(said.get("name"), str) and isinstance(said.get("in"), str):
            known[said["in"], said["name"]] = said
    parameters: list[Parameter] = []
    for (place, name), said in known.items():
        if place == "header" and name.lower() in _OWN_HEADERS:
            continue
        if place == "cookie" and said.get("required") is not True:
            continue
        argument = name if all(name != other.argument for other in parameters) else f"{name}_in_{place}"
        parameters.append(_parameter(schemas, argument, place, said))
    return parameters


def _parameter(schemas: Schemas, argument: str, place: str, said: Mapping[str, Any]) -> Parameter:
    content = said.get("content")
    is_json = isinstance(content, dict) and "application/json" in content
    described = content["application/json"].get("schema") if is_json and content is not None else said.get("schema")
    schema = schemas.taken(described)
    if isinstance(schema, dict) and isinstance(said.get("description"), str):
        schema.setdefault("description", said["description"][:_LONGEST_DESCRIPTION])
    style = said.get("style") or ("form" if place in {"query", "cookie"} else "simple")
    explode = said["explode"] if isinstance(said.get("explode"), bool) else style == "form"
    required = place == "path" or said.get("required") is True
    return Parameter(argument, said["name"], place, required, schema, style, explode, is_json)


def _body(schemas: Schemas, said: Mapping[str, Any], taken: set[str]) -> Body | None:
    content = said.get("content")
    for media_type in content if isinstance(content, dict) else ():
        plain = media_type.partition(";")[0].strip().lower()
        if plain in _BODIES or plain.endswith("+json"):
            described = content[media_type] if isinstance(content, dict) else None
            schema = schemas.taken(described.get("schema") if isinstance(described, dict) else None)
            argument = "body" if "body" not in taken else "request_body"
            return Body(argument, plain, said.get("required") is True, schema)
    return None


def _id_of(method: str, path: str) -> str:
    return f"{method}_{re.sub(r'[^A-Za-z0-9]+', '_', path).strip('_')}"


def _description(described: Mapping[str, Any], method: str, path: str) -> str:
    summary, more = (
        each if isinstance(each := described.get(name), str) else "" for name in ("summary", "description")
    )
    text = more if more.startswith(summary) else f"{summary}\n{more}".strip()
    return (text or f"{method.upper()} {path}")[:_LONGEST_DESCRIPTION]
