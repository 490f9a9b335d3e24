"""Operations of an OpenAPI document: the schemas that models see, and the requests that calls become."""

from typing import Any

import pytest

from hosting.adapters.models.openapi_operation import Operation, listed_in, read_operation
from hosting.adapters.models.openapi_request import request_of
from hosting.adapters.models.openapi_schema import Document
from hosting.adapters.models.tool_name import tool_name
from middleware.errors import WrongArguments


def _operation(path: str = "/pets/{id}", method: str = "get", **members: Any) -> Operation:
    (operation,) = _operations({path: {method: {"operationId": "it", **members}}})
    return operation


def _operations(paths: dict[str, Any], components: dict[str, Any] | None = None) -> list[Operation]:
    document = Document({"paths": paths, "components": components or {}})
    read = (read_operation(document, listed) for listed in listed_in(document))
    return [operation for operation in read if operation is not None]


def _parameter(name: str, place: str = "query", **members: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": {}, **members}


def _body(media_type: str = "application/json", *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {media_type: {"schema": {"type": "object"}}}}


def test_a_schema_stands_on_its_own_also_when_it_holds_itself() -> None:
    node = {
        "type": "object",
        "properties": {"next": {"$ref": "#/components/schemas/Node"}, "nullable": {"type": "string"}},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    limit = {
        "name": "limit",
        "in": "query",
        "required": True,
        "description": "How many.",
        "schema": {"type": "integer"},
    }
    (operation,) = _operations(
        {
            "/nodes/{id}": {
                "parameters": [{"$ref": "#/components/parameters/Limit"}, _parameter("id", "path"), _parameter("id")],
                "post": {"requestBody": {"$ref": "#/components/requestBodies/Node"}},
            }
        },
        {"schemas": {"Node": node}, "parameters": {"Limit": limit}, "requestBodies": {"Node": body}},
    )

    assert operation.id == "post_nodes_id"
    assert operation.schema == {
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "description": "How many."},
            "id": {},
            "id_in_query": {},
            "body": {"$ref": "#/$defs/Node"},
        },
        "required": ["limit", "id"],
        "additionalProperties": False,
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/Node"}, "nullable": {"type": "string"}},
            }
        },
    }


def test_schemas_and_arguments_of_the_same_name_are_all_there() -> None:
    kinds = [{"$ref": f"#/components/{place}/Pet"} for place in ("a", "b", "c")]
    named = [_parameter("id", "path"), _parameter("id"), _parameter("id", "header"), _parameter("id_in_query")]

    (operation,) = _operations(
        {"/{id}": {"put": {"parameters": [*named, _parameter("pet", schema={"anyOf": kinds})]}}},
        {"a": {"Pet": {"const": 1}}, "b": {"Pet": {"const": 2}}, "c": {"Pet": {"const": 3}}},
    )

    assert list(operation.schema["properties"]) == ["id", "id_in_query", "id_in_header", "id_in_query_in_query", "pet"]
    assert operation.schema["$defs"] == {"Pet": {"const": 1}, "Pet_2": {"const": 2}, "Pet_3": {"const": 3}}


def test_what_openapi_3_0_says_in_its_own_words_is_json_schema() -> None:
    said = {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True, "example": 3}

    operation = _operation("/pets", parameters=[_parameter("age", schema=said)])

    assert operation.schema["properties"]["age"] == {"type": ["integer", "null"], "exclusiveMinimum": 0}


def test_an_operation_that_json_arguments_cannot_call_is_left_out() -> None:
    upload = {"required": True, "content": {"multipart/form-data": {}}}
    paths = {
        "/upload": {"post": {"requestBody": upload}},
        "/cookie": {"get": {"parameters": [_parameter("a", "cookie", required=True)]}},
        "/gap/{id}": {"get": {}},
        "@other.example/": {"get": {}},
        "/fine": {"get": {}},
    }

    assert [operation.path for operation in _operations(paths)] == ["/fine"]


@pytest.mark.parametrize(
    ("members", "arguments", "path"),
    [
        ({}, {"id": "a/b?c#d e%2e"}, "/pets/a%2Fb%3Fc%23d%20e%252e"),
        ({}, {"id": [1, True]}, "/pets/1%2Ctrue"),
        ({"q": {}}, {"id": 1, "q": ["a", "b"]}, "/pets/1?q=a&q=b"),
        ({"q": {"explode": False}}, {"id": 1, "q": ["a", "b"]}, "/pets/1?q=a%2Cb"),
        ({"q": {"style": "pipeDelimited"}}, {"id": 1, "q": ["a", "b"]}, "/pets/1?q=a%7Cb"),
        ({"q": {"style": "deepObject"}}, {"id": 1, "q": {"a": 1}}, "/pets/1?q%5Ba%5D=1"),
        ({"q": {}}, {"id": 1, "q": {"a": 1, "b": False}}, "/pets/1?a=1&b=false"),
        ({"q": {"content": {"application/json": {}}}}, {"id": 1, "q": {"a": 1}}, "/pets/1?q=%7B%22a%22%3A+1%7D"),
        ({"q": {}}, {"id": 1, "q": None}, "/pets/1"),
    ],
)
def test_arguments_go_into_the_path_and_the_query(
    members: dict[str, Any], arguments: dict[str, Any], path: str
) -> None:
    parameters = [_parameter("id", "path"), *(_parameter(name, **more) for name, more in members.items())]

    assert path == request_of(_operation(parameters=parameters), arguments).path


def test_arguments_go_into_headers_and_the_body() -> None:
    headers = [_parameter("X-Trace", "header"), _parameter("Authorization", "header"), _parameter("id", "path")]
    operation = _operation(method="post", parameters=headers, requestBody=_body("application/merge-patch+json"))

    request = request_of(operation, {"id": 1, "X-Trace": 7, "body": {"a": "b"}})
    form = request_of(
        _operation("/pets", "post", requestBody=_body("application/x-www-form-urlencoded")), {"body": {"a": "b c"}}
    )

    assert (request.method, request.content) == ("POST", b'{"a": "b"}')
    assert request.headers == {"X-Trace": "7", "Content-Type": "application/merge-patch+json"}
    assert form.content == b"a=b+c"
    assert "Authorization" not in operation.schema["properties"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"id": ""},
        {"id": "."},
        {"id": ".."},
        {"id": None},
        {"id": 1, "other": 2},
        {"id": 1, "X-Trace": "a\r\nHost: b"},
    ],
)
def test_arguments_that_would_make_another_request_are_refused(arguments: dict[str, Any]) -> None:
    operation = _operation(parameters=[_parameter("id", "path"), _parameter("X-Trace", "header")])

    with pytest.raises(WrongArguments):
        request_of(operation, arguments)


def test_two_arguments_cannot_make_a_step_up_together() -> None:
    operation = _operation("/pets/{a}{b}/x", parameters=[_parameter("a", "path"), _parameter("b", "path")])

    with pytest.raises(WrongArguments):
        request_of(operation, {"a": ".", "b": "."})


def test_a_tools_name_is_one_that_every_provider_takes_and_long_ones_stay_different() -> None:
    long = ["a" * 80, "a" * 79 + "b"]

    assert tool_name("time", "zones.list/all") == "time_zones_list_all"
    assert {len(tool_name("time", name)) for name in long} == {64}
    assert len({tool_name("time", name) for name in long}) == 2
