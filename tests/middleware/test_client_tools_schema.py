"""The schema of a client's tool is looked at before it is kept: one that is none would fail every run of the branch."""

from typing import Any

import pytest

from middleware.client_tools.refusal import ClientToolInputRefused
from middleware.client_tools.schema import check_parameters_schema

DEEP: dict[str, Any] = {}
for _ in range(70):
    DEEP = {"not": DEEP}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"properties": [1]}, ".properties"),
    ({"properties": {"x": {"type": "object", "properties": 5}}}, ".properties.x.properties"),
    ({"properties": {"x": 1}}, ".properties.x"),
    ({"required": 5}, ".required"),
    ({"required": [5]}, ".required"),
    ({"type": 5}, ".type"),
    ({"description": {}}, ".description"),
    ({"minItems": "1"}, ".minItems"),
    ({"maxLength": float("inf")}, ".maxLength"),
    ({"minimum": True}, ".minimum"),
    ({"enum": "x"}, ".enum"),
    ({"items": "x"}, ".items"),
    ({"items": [{}, None]}, ".items[1]"),
    ({"$defs": []}, ".$defs"),
    ({"anyOf": {}}, ".anyOf"),
    ({"oneOf": []}, ".oneOf"),
    ({"allOf": [{}, {"$ref": 1}]}, ".allOf[1].$ref"),
    ({"$ref": "http://127.0.0.1:9/x"}, ".$ref"),
    ({"$ref": "#/$defs/nobody"}, ".$ref"),
    ({"$ref": "#/required/0", "required": ["x"]}, ".$ref"),
    (DEEP, ".not" * 65),
]


@pytest.mark.parametrize(("schema", "place"), WRONG, ids=[place[:40] for _, place in WRONG])
def test_what_is_no_schema_is_refused_by_its_place(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        check_parameters_schema(schema, "here")

    assert refused.value.place == f"here{place}"


def test_what_is_a_schema_is_taken() -> None:
    check_parameters_schema(
        {
            "type": "object",
            "title": "Anything",
            "properties": {
                "properties": {"type": ["string", "null"], "enum": [1, None], "minLength": 2.0},
                "required": True,
                "self": {"$ref": "#"},
                "a": {"$ref": "#/$defs/a~1b"},
                "first": {"$ref": "#/properties/list/prefixItems/0"},
                "list": {"prefixItems": [{"x-mine": 1}], "items": {"anyOf": [{"const": 1}, {"minimum": 0.5}]}},
            },
            "required": ["a"],
            "$defs": {"a/b": {"additionalProperties": {"$ref": "#/$defs/a~1b"}}},
            "additionalProperties": False,
        },
        "here",
    )
