"""The bodies that routes take and give, and how a schema is said in words; events are in their own reference."""

import json
import sys
from collections.abc import Mapping
from functools import cache

import msgspec
from docs.generate.docstrings import member_docs
from docs.generate.events import parts_of_events
from docs.generate.openapi import Schema, name_in, schemas
from docs.generate.tables import code, table

_ANY_EVENT = ("StandardEvent", "StreamError")
"""What a list of would be as long as the reference of events, which is linked instead."""


def bodies() -> str:
    """Describe the bodies that routes take and give."""
    return "\n\n".join(_body(name, schema) for name, schema in schemas().items() if _stands_here(name))


def words(schema: Schema) -> str:
    """Say what fits a schema; what is described elsewhere is named and linked."""
    if "$ref" in schema:
        return _named(name_in(schema))
    for many in ("oneOf", "anyOf"):
        if many in schema and "properties" not in schema:
            return " or ".join(dict.fromkeys(words(one) for one in schema[many] if one.get("type") != "null"))
    if "enum" in schema:
        return ", ".join(code(f'"{value}"') for value in schema["enum"])
    if "const" in schema:
        return code(f'"{schema["const"]}"')
    types = schema.get("type", "any JSON")
    kinds = [types] if isinstance(types, str) else [kind for kind in types if kind != "null"]
    return " or ".join(_kind(kind, schema) for kind in kinds)


def or_null(schema: Schema) -> str:
    """Say what fits a schema, and whether null does."""
    nullable = {"type": "null"} in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return words(schema) + (f" or {code('null')}" if nullable else "")


def range_of(schema: Schema) -> str:
    """Say what fits a schema, with its bounds."""
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f", {low} to {high}" if low is not None and high is not None else ""
    return words(schema) + bounds


def default(schema: Schema) -> str:
    """Say what stands for a value that is left out."""
    given = schema.get("default")
    if given is None:
        return "optional"
    return f"optional; {code(given if isinstance(given, str) else json.dumps(given))} when left out"


def _body(name: str, schema: Schema) -> str:
    needed, means = schema.get("required", ()), _means(name)
    # A member that a request may leave out is optional; one that an answer may leave out is there when it has a value.
    missing = "optional" if _is_sent(schema) else "when there is one"
    rows = [
        (
            code(member),
            range_of(shape),
            ("required" if _is_sent(schema) else "always") if member in needed else _left_out(shape, missing),
            shape.get("description", "") or means.get(member, ""),
        )
        for member, shape in schema.get("properties", {}).items()
    ]
    members = table(("member", "type", "there", "means"), rows) if rows else f"One of: {words(schema)}."
    return "\n\n".join([f"### {name}", schema["description"], members])


def _left_out(shape: Schema, missing: str) -> str:
    return missing if shape.get("default") is None else default(shape)


def _is_sent(schema: Schema) -> bool:
    """Say whether a body comes in: only what comes in refuses members that it does not know."""
    return schema.get("additionalProperties") is not None


def _means(name: str) -> Mapping[str, str]:
    """Return what the code says of the members of a body, by their names on the wire."""
    for module in [module for path, module in sys.modules.items() if path.startswith("hosting.api.")]:
        cls = getattr(module, name, None)
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct):
            told = member_docs(cls)
            return {field.encode_name: told.get(field.name, "") for field in msgspec.structs.fields(cls)}
    return {}


def _stands_here(name: str) -> bool:
    schema = schemas()[name]
    elsewhere = _is_event(schema) or _is_part(schema) or name in _ANY_EVENT
    return not elsewhere and schema.get("type") != "string"


def _named(name: str) -> str:
    schema = schemas()[name]
    title = schema["title"]
    if _is_event(schema) or _is_part(schema):
        return f"[{title}](events.md#{title.lower()})"
    if name in _ANY_EVENT:
        return "[event](events.md#events)"
    return words(schema) if "enum" in schema else f"[{name}](#{name.lower()})"


def _is_event(schema: Schema) -> bool:
    return bool(schema["title"].isupper())


@cache
def _parts() -> frozenset[str]:
    return frozenset(cls.__name__ for cls in parts_of_events())


def _is_part(schema: Schema) -> bool:
    return schema["title"] in _parts()


def _kind(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"array of {words(schema.get('items', {}))}"
    if kind == "string" and schema.get("format") == "date-time":
        return "time"
    if kind == "object" and "properties" in schema:
        return "object with " + ", ".join(code(name) for name in schema["properties"])
    return kind
