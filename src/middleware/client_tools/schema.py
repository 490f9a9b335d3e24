"""Schemas of client tools are looked at before a model is shown them: one that is none would fail every run to come."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from middleware.client_tools.refusal import ClientToolInputRefused

_DEEPEST: Final = 64
_SCHEMA: Final = frozenset({"additionalProperties", "items", "propertyNames", "contains", "not", "if", "then", "else"})
_SCHEMAS_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
_SCHEMAS: Final = frozenset({"prefixItems", "allOf", "anyOf", "oneOf"})


def check_parameters_schema(schema: dict[str, Any], place: str) -> None:
    """Look at what models and their providers read of a JSON Schema; other members are nobody's concern.

    Raises:
        ClientToolInputRefused: something in it has the wrong form, or a `$ref` leads nowhere.
    """
    todo: list[tuple[Any, str, int]] = [(schema, place, 0)]
    while todo:
        part, at, depth = todo.pop()
        if isinstance(part, bool):
            continue
        if not isinstance(part, dict):
            raise ClientToolInputRefused(at, "must be a JSON Schema: an object, true or false")
        if depth > _DEEPEST:
            raise ClientToolInputRefused(at, f"is more than {_DEEPEST} schemas deep")
        _check_values(part, at)
        _check_reference(part, schema, at)
        todo += [(inside, there, depth + 1) for inside, there in _inside(part, at)]


def _inside(part: Mapping[str, Any], at: str) -> Iterator[tuple[Any, str]]:
    for name, value in part.items():
        there = f"{at}.{name}"
        if name == "items" and isinstance(value, list):
            # As older drafts have it.
            yield from ((inside, f"{there}[{index}]") for index, inside in enumerate(value))
        elif name in _SCHEMA:
            yield value, there
        elif name in _SCHEMAS_BY_NAME:
            if not isinstance(value, dict):
                raise ClientToolInputRefused(there, "must be an object of JSON Schemas")
            yield from ((inside, f"{there}.{key}") for key, inside in value.items())
        elif name in _SCHEMAS:
            if not isinstance(value, list) or not value:
                raise ClientToolInputRefused(there, "must be an array of at least one JSON Schema")
            yield from ((inside, f"{there}[{index}]") for index, inside in enumerate(value))


def _check_values(part: Mapping[str, Any], at: str) -> None:
    for name, (fits, wanted) in _VALUES.items():
        if name in part and not fits(part[name]):
            raise ClientToolInputRefused(f"{at}.{name}", f"must be {wanted}")


def _check_reference(part: Mapping[str, Any], schema: Any, at: str) -> None:
    found = schema
    for key in part.get("$ref", "#").removeprefix("#").split("/")[1:]:
        name = key.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(name)] if name in map(str, range(len(found))) else None
        else:
            found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict | bool):
        raise ClientToolInputRefused(f"{at}.$ref", "must lead to a schema inside of this one")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and (value == "#" or value.startswith("#/"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and (isinstance(value, int) or value.is_integer())


_COUNT: Final = (_is_count, "a whole number, 0 or more")
_NUMBER: Final = (_is_number, "a number")
_TEXT: Final = (lambda value: isinstance(value, str), "a string")
_VALUES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "$ref": (_is_reference, "# or begin with #/"),
    "type": (lambda value: isinstance(value, str) or _are_texts(value), "a string or an array of strings"),
    "required": (_are_texts, "an array of strings"),
    "enum": (lambda value: isinstance(value, list), "an array"),
    "title": _TEXT,
    "description": _TEXT,
    "pattern": _TEXT,
    "format": _TEXT,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _NUMBER),
}
