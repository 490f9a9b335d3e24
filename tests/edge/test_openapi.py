"""/openapi.json says of each route what it takes and everything that it answers."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from tests.harness.client import Client

EVERYWHERE = {"500"}
STARTED = ("postInput", "202")
TAKE_A_BODY = {"postSession", "postBranch", "postInput", "postInterrupt", "postResponse"}
CODES = {
    "healthz": set(),
    "readyz": {"not-ready"},
    "listSessions": {"invalid-request", "storage-unavailable"},
    "postSession": {"invalid-request", "unknown-member", "session-exists"},
    "postBranch": {"agent-not-found", "session-not-found", "invalid-request", "unknown-member", "branch-exists"},
    "postInput": {"branch-not-found", "invalid-input", "run-config-refused", "branch-run-active", "message-exists"},
    "getAgentRun": {"agent-not-found", "session-not-found", "branch-not-found", "run-not-found"},
    "getEvents": {"invalid-position", "invalid-request", "branch-not-found", "storage-unavailable"},
    "getLive": {"agent-not-found", "session-not-found", "branch-not-found", "storage-unavailable"},
}


@pytest.fixture
async def document(plain_edge: Client) -> dict[str, Any]:
    """The API's description."""
    response = await plain_edge.http.get("/openapi.json")
    assert response.headers["content-type"].startswith("application/json")
    described: dict[str, Any] = response.json()
    return described


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all operations by id."""
    return {operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()}


def references(value: object) -> Iterator[str]:
    """Yield every $ref."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


async def test_it_is_openapi_3_1_of_this_version(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"] == {"title": "Branchline", "version": version("branchline")}
    assert len(operations(document)) == sum(len(item) for item in document["paths"].values())


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert set(references(document)) <= schemas


async def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert not operation["summary"].endswith("."), name
        assert set(operation["responses"]) >= EVERYWHERE
        assert {status for status in operation["responses"] if status < "300"}, name
        for status, response in operation["responses"].items():
            if status in {"101", "204"}:
                assert "content" not in response
                continue
            media_types = set(response["content"])
            assert ("Location" in response.get("headers", {})) == (status == "201" or (name, status) == STARTED)
            if status < "300":
                assert media_types == {"text/event-stream" if name == "getLive" else "application/json"}, name
                assert all(content["schema"] for content in response["content"].values()), name
            else:
                assert media_types == {"application/problem+json"}, (name, status)
                assert ("Retry-After" in response.get("headers", {})) == (status in {"429", "503"})


async def test_every_route_names_the_problems_that_it_answers_with(document: dict[str, Any]) -> None:
    for name, codes in CODES.items():
        responses = operations(document)[name]["responses"]
        described = " ".join(response["description"] for response in responses.values())
        assert codes <= set(re.findall(r"[a-z]+(?:-[a-z]+)+", described)), name


async def test_the_bodies_that_routes_decode_themselves_are_described(document: dict[str, Any]) -> None:
    with_body = {name for name, operation in operations(document).items() if "requestBody" in operation}
    schemas = document["components"]["schemas"]

    assert with_body == TAKE_A_BODY
    assert set(schemas["CreateSession"]["properties"]) == {"sessionId", "metadata"}
    assert set(schemas["CreateBranch"]["properties"]) == {"branchId", "name", "description", "tags", "metadata"}
    assert schemas["CreateSession"]["additionalProperties"] is False
    assert schemas["UserTextInput"]["required"] == ["text"]
    shapes = operations(document)["postInput"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    envelopes = {shape["properties"]["type"]["const"] for shape in shapes if "properties" in shape}
    assert envelopes >= {"USER_TEXT_INPUT", "USER_MESSAGES_INPUT"}
    assert "TEXT_DELTA" not in json.dumps(shapes)
    answers = operations(document)["postResponse"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    envelopes = {shape["properties"]["type"].get("const") for shape in answers}
    assert envelopes >= {"PERMISSION_RESPONSE", "CLARIFICATION_RESPONSE", None}
    assert "eventId" not in json.dumps(answers)
