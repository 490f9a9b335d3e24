"""The operations of an OpenAPI document, as calls can be made of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jsonschema_rs

from hosting.adapters.models.openapi_schema import Document, Misshapen, Schemas
from hosting.domain.pointer import pointer_to

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
_BODIES: Final = ("application/json", "application/x-www-form-urlencoded", "text/plain")
# Said by the client, or by the operator as `headers`: never by a model.
_OWN_HEADERS: Final = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "cookie", "host", "transfer-encoding"}
)
_PLACES: Final = ("path", "query", "header", "cookie")
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


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation as it stands in a document, at `place`; of its schemas nothing has been read."""

    id: str
    method: str
    path: str
    place: str
    shared: Mapping[str, Any]
    said: Mapping[str, Any]


def listed_in(document: Document) -> Iterator[Listed]:
    """Find the operations of a document.

    Raises:
        BrokenReference: a reference leads nowhere.
        Misshapen: something is not what it must be.
    """
    paths = _object(document.root.get("paths", {}), "/paths")
    for path, item in paths.items():
        if not path.startswith("/"):
            continue
        place = pointer_to("$.paths", path)
        shared = _object(document.followed(item), place)
        for method in METHODS:
            if method in shared:
                said = _object(shared[method], f"{place}/{method}")
                named = said.get("operationId")
                own = named if isinstance(named, str) and named else _id_of(method, path)
                yield Listed(own, method, path, f"{place}/{method}", shared, said)


def read_operation(document: Document, listed: Listed) -> Operation | None:
    """Read an operation; None when it cannot be called with what JSON can say, as an upload.

    Raises:
        BrokenReference: a reference leads nowhere.
        DocumentTooLarge: its references lead to too much.
        Misshapen: something is not what it must be.
    """
    schemas = Schemas(document)
    parameters = _parameters(document, schemas, listed)
    at = f"{listed.place}/requestBody"
    wanted = _object(document.followed(listed.said.get("requestBody", {})), at)
    body = _body(schemas, wanted, {each.argument for each in parameters}, at)
    needs_other = wanted.get("required") is True and body is None
    placed = {each.name for each in parameters if each.place == "path"}
    if needs_other or _has_gaps(listed.path, placed) or any(each.place == "cookie" for each in parameters):
        return None
    operation = Operation(
        id=listed.id,
        method=listed.method.upper(),
        path=listed.path,
        description=_description(listed.said, listed.method, listed.path),
        parameters=tuple(parameters),
        body=body,
        definitions=schemas.definitions,
    )
    _check_schema(operation, listed.place)
    return operation


def _check_schema(operation: Operation, place: str) -> None:
    """Make sure that a model can be shown the schema: one that is none would fail each run."""
    try:
        jsonschema_rs.meta.validate(operation.schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        inside = "".join(f"/{part}" for part in getattr(error, "instance_path", ()))
        raise Misshapen(place, f"This is no JSON Schema, at {inside:.200}: {message:.200}") from error


def _object(node: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        raise Misshapen(place, "This must be an object.")
    return node


def _has_gaps(path: str, placed: set[str]) -> bool:
    """Say whether a path has places that no parameter fills."""
    return not set(re.findall(r"\{([^{}]*)\}", path)) <= placed


def _parameters(document: Document, schemas: Schemas, listed: Listed) -> list[Parameter]:
    # An operation's own say otherwise what its path says of all.
    of_all = _said(document, listed.shared, listed.place.rpartition("/")[0])
    known = of_all | _said(document, listed.said, listed.place)
    parameters: dict[str, Parameter] = {}
    for (kind, name), (said, place) in known.items():
        if kind == "header" and name.lower() in _OWN_HEADERS:
            continue
        if kind == "cookie" and said.get("required") is not True:
            continue
        argument = name if name not in parameters else f"{name}_in_{kind}"
        while argument in parameters:
            argument += "_"
        parameters[argument] = _parameter(schemas, argument, said, place)
    return list(parameters.values())


def _said(
    document: Document, node: Mapping[str, Any], place: str
) -> dict[tuple[str, str], tuple[Mapping[str, Any], str]]:
    """Return the parameters that stand in a place, each with where it does, by where they go and their names."""
    given = node.get("parameters", [])
    if not isinstance(given, list):
        raise Misshapen(f"{place}/parameters", "This must be an array.")
    found: dict[tuple[str, str], tuple[Mapping[str, Any], str]] = {}
    for number, each in enumerate(given):
        at = f"{place}/parameters/{number}"
        said = _object(document.followed(each), at)
        if not isinstance(said.get("name"), str) or said.get("in") not in _PLACES:
            raise Misshapen(at, f"A parameter needs a `name`, and `in`: one of {', '.join(_PLACES)}.")
        found[said["in"], said["name"]] = said, at
    return found


def _parameter(schemas: Schemas, argument: str, said: Mapping[str, Any], place: str) -> Parameter:
    content = _object(said.get("content", {}), f"{place}/content")
    is_json = "application/json" in content
    described = _object(content["application/json"], f"{place}/content/application~1json") if is_json else said
    schema = _schema(schemas, described, place)
    if isinstance(schema, dict) and isinstance(said.get("description"), str):
        schema.setdefault("description", said["description"][:_LONGEST_DESCRIPTION])
    kind = said["in"]
    style = said.get("style", "form" if kind in {"query", "cookie"} else "simple")
    if not isinstance(style, str):
        raise Misshapen(f"{place}/style", "This must be a string.")
    explode = said["explode"] if isinstance(said.get("explode"), bool) else style == "form"
    required = kind == "path" or said.get("required") is True
    return Parameter(argument, said["name"], kind, required, schema, style, explode, is_json)


def _body(schemas: Schemas, said: Mapping[str, Any], taken: set[str], place: str) -> Body | None:
    content = _object(said.get("content", {}), f"{place}/content")
    for media_type, described in content.items():
        plain = media_type.partition(";")[0].strip().lower()
        if plain in _BODIES or plain.endswith("+json"):
            at = pointer_to("$", "content", media_type)
            schema = _schema(schemas, _object(described, f"{place}{at}"), f"{place}{at}")
            argument = "body"
            while argument in taken:
                argument = f"request_{argument}"
            return Body(argument, plain, said.get("required") is True, schema)
    return None


def _schema(schemas: Schemas, said: Mapping[str, Any], place: str) -> Any:
    schema = said.get("schema", {})
    if not isinstance(schema, dict | bool):
        raise Misshapen(f"{place}/schema", "A schema is an object, or true or false.")
    return schemas.taken(schema)


def _id_of(method: str, path: str) -> str:
    return f"{method}_{re.sub(r'[^A-Za-z0-9]+', '_', path).strip('_')}"


def _description(described: Mapping[str, Any], method: str, path: str) -> str:
    summary, more = (
        each if isinstance(each := described.get(name), str) else "" for name in ("summary", "description")
    )
    text = more if more.startswith(summary) else f"{summary}\n{more}".strip()
    return (text or f"{method.upper()} {path}")[:_LONGEST_DESCRIPTION]
