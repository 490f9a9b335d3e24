"""/openapi.json says of each route what it takes and everything that it answers."""

import json
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import jsonschema_rs
import pytest
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from events.catalog import Catalog
from events.event import Event
from hosting import create_app
from hosting.api.openapi_document import operation_id
from hosting.api.openapi_problems import EVERYWHERE
from hosting.api.problems import status_of
from hosting.api.socket import CloseCode
from hosting.domain.model_config import MODEL_MEMBERS
from hosting.domain.run_config import RunConfig
from tests.harness.client import Client
from tests.harness.contract import Contract, codes_of

ROUTES = [
    (handler, f"{handler_path}".replace(":str}", "}"))
    for route in create_app().routes
    if isinstance(route, HTTPRoute)
    for handler in route.route_handlers
    for handler_path in handler.paths
    if "OPTIONS" not in handler.http_methods and handler.handler_name != "_handler"
]
"""Every route that the server has, but the one of the description and those that only name methods."""

OTHER_SUCCESS = {
    "postAgent": "201",
    "deleteAgent": "204",
    "postSession": "201",
    "postBranch": "201",
    "postFork": "201",
    "postInput": "202",
    "postInterrupt": "202",
    "deleteSession": "204",
    "deleteBranch": "204",
    "deleteQueued": "204",
    "deleteAgentQueued": "204",
    "getSocket": "101",
    "register": "201",
    "postMutation": "201",
    "postLaneWork": "201",
    "removeCredential": "204",
    "postContent": "201",
    "postSessionContent": "201",
    "deleteContent": "204",
    "deleteSessionContent": "204",
}
OF_STREAMS = {
    "getLive": "text/event-stream",
    "getInterviewStream": "text/event-stream",
    "getRotateStream": "text/event-stream",
    "getRunLog": "application/x-ndjson",
    "getContent": "*/*",
    "getSessionContent": "*/*",
}
ALSO = {
    "getInterviewStream": ["204"],
    "getContent": ["206", "304"],
    "getSessionContent": ["206", "304"],
}
"""What a route may succeed with in another way."""
REPLIES = {("postTrackerCall", status) for status in ("400", "403", "413")}
"""What refuses in words of its own beside problems."""
MUST_HAVE_A_BODY = {
    *("postAgent", "putAgent", "postInput", "postResponse", "postFork"),
    *("registerDaemon", "beatDaemon", "register", "postMutation", "putHostStatus", "postTrackerCall", "postUnits"),
    *("postStatus", "postCompletion", "postProgress", "postExternalUrls", "postTokenDelta", "postInteraction"),
    *("postTransfer", "postAck", "postPublicPrompt", "postRating"),
    *("putCredential", "postSnapshot", "postRotate"),
    *("postContent", "postSessionContent"),
    *("postRoutingSelect", "postRoutingFeedback", "postRoutingObservation"),
}
MAY_HAVE_A_BODY = {
    *("postSession", "patchSession", "searchSessions", "postBranch", "patchBranch", "postInterrupt"),
    *("refreshToken", "beat", "postLaneWork", "postBatchResult", "postExtractionResult", "postClaim", "postNack"),
    *("postActivity", "postLockRefresh", "postTake", "postWatch"),
    *("postReserve", "postCheckConflicts", "postRelease", "postReleaseAll"),
}
GIVEN = {
    *("caller", "callers", "capacity", "contents", "credentials", "fleet", "readiness", "remote", "request"),
    *("router", "routing"),
}
"""What the server hands to routes."""
FOLLOWING = {"after", "Last-Event-ID"}
KEYED = {
    *("postSession", "postBranch", "postFork", "postInput", "postInterrupt", "postResponse", "postAgent"),
    *("postLaneWork", "postMutation", "postPublicPrompt", "requeue"),
}
"""Those that create or start something, and may be sent again."""
NO_EVENTS_OF_THE_LOG = {"STREAM_RESET", "STREAM_CLOSING", "AGENT_RESPONSE_REJECTED"}


@pytest.fixture
async def document(plain_edge: Client) -> dict[str, Any]:
    """The API's description."""
    response = await plain_edge.http.get("/openapi.json")
    assert response.headers["content-type"].startswith("application/json")
    described: dict[str, Any] = response.json()
    return described


@pytest.fixture
def contract(document: dict[str, Any]) -> Contract:
    """The same, able to judge."""
    return Contract(document)


def references(value: object) -> Iterator[str]:
    """Yield every reference, also those that tell a union's members apart."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            elif name == "mapping":
                yield from member.values()
            else:
                yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


async def test_it_is_openapi_3_1_of_this_version(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert (document["info"]["title"], document["info"]["version"]) == ("Branchline", version("branchline"))


async def test_every_reference_leads_somewhere_and_nothing_lies_about_unused(document: dict[str, Any]) -> None:
    named = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]
    }

    assert named == set(references(document))


async def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})


async def test_every_route_is_there_and_nothing_else(contract: Contract) -> None:
    served = {(operation_id(handler), method, path) for handler, path in ROUTES for method in handler.http_methods}

    assert len(served) > 30
    assert served == {(operation.id, operation.method, operation.path) for operation in contract.operations}


async def test_every_parameter_is_there_and_nothing_else(contract: Contract) -> None:
    documented = {operation.id: operation.described.get("parameters", []) for operation in contract.operations}

    for handler, path in ROUTES:
        name = operation_id(handler)
        taken = {_name_of(parameter) for parameter in handler.parsed_fn_signature.parameters.values()} - GIVEN
        taken |= FOLLOWING if name in {"getLive", "getSocket"} else set()
        taken |= {"Idempotency-Key"} if name in KEYED else set()
        assert taken == {parameter["name"] for parameter in documented[name]}, name
        in_path = {parameter["name"] for parameter in documented[name] if parameter["in"] == "path"}
        assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        assert all(parameter["description"].endswith(".") for parameter in documented[name])
        assert all(parameter["required"] is (parameter["in"] == "path") for parameter in documented[name])


async def test_limits_of_parameters_are_there(contract: Contract) -> None:
    limits = {
        (operation.id, parameter["name"]): parameter["schema"]
        for operation in contract.operations
        for parameter in operation.described.get("parameters", ())
        if parameter["in"] == "query"
    }

    assert limits["listSessions", "limit"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert limits["getEvents", "limit"] == {"type": "integer", "minimum": 1, "maximum": 10_000}
    assert limits["deleteBranch", "force"] == {"type": "boolean", "default": False}


async def test_every_operation_says_what_it_does(contract: Contract) -> None:
    for operation in contract.operations:
        assert operation.described["summary"]
        assert not operation.described["summary"].endswith(".")
        assert operation.described["tags"]


async def test_every_route_succeeds_in_the_way_that_the_contract_says(contract: Contract) -> None:
    for operation in contract.operations:
        success = [status for status in operation.responses if status < "400"]
        also = ALSO.get(operation.id, [])
        assert success == [OTHER_SUCCESS.get(operation.id, "200"), *also], operation.id
        response = operation.responses[success[0]]
        is_of_the_fleet = operation.path.startswith(("/api/", "/v1/"))
        located = (success[0] == "201" and not is_of_the_fleet) or operation.id == "postInput"
        assert ("Location" in response.get("headers", {})) == located
        assert ("Link" in response.get("headers", {})) == (operation.id in {"getEvents", "getAgentEvents"})
        if success[0] in {"101", "204"}:
            assert "content" not in response
            continue
        media_type = OF_STREAMS.get(operation.id, "application/json")
        assert set(response["content"]) == {media_type}
        assert response["content"][media_type]["schema"]


async def test_every_problem_stands_under_its_status_with_the_headers_that_go_with_it(contract: Contract) -> None:
    for operation in contract.operations:
        assert operation.codes() >= set(EVERYWHERE)
        for status, response in operation.responses.items():
            if status < "400":
                continue
            others = {"application/json"} if (operation.id, status) in REPLIES else set()
            assert set(response["content"]) == {"application/problem+json", *others}
            codes = codes_of(response)
            assert codes, (operation.id, status)
            assert {str(status_of(code)) for code in codes} == {status}
            assert response["description"] == f"Problem: {', '.join(codes)}."
            waits = status in {"429", "503"} or "idempotency-key-under-way" in codes
            assert ("Retry-After" in response.get("headers", {})) == waits


async def test_the_bodies_that_routes_decode_themselves_are_described(
    document: dict[str, Any], contract: Contract
) -> None:
    bodies = {
        operation.id: operation.described["requestBody"]
        for operation in contract.operations
        if "requestBody" in operation.described
    }
    schemas = document["components"]["schemas"]

    assert {name for name, body in bodies.items() if body["required"]} == MUST_HAVE_A_BODY
    assert {name for name, body in bodies.items() if not body["required"]} == MAY_HAVE_A_BODY
    assert set(schemas["CreateSession"]["properties"]) == {"sessionId", "metadata"}
    assert set(schemas["CreateBranch"]["properties"]) == {"branchId", "name", "description", "tags", "metadata"}
    closed = ("CreateSession", "UpdateSession", "SearchSessions", "CreateBranch", "UpdateBranch", "ForkBranch")
    of_agents = ("CreateAgent", "UpdateAgent", "AgentConfig")
    for name in (*closed, *of_agents, "TextInput", "Interruption", "RunConfig"):
        assert schemas[name]["additionalProperties"] is False
    assert schemas["TextInput"]["required"] == ["text"]
    of_runs = {_camel(field.name) for field in fields(RunConfig) if field.name != "model"}
    assert set(schemas["RunConfig"]["properties"]) == of_runs | set(MODEL_MEMBERS)


async def test_envelopes_are_told_apart_by_their_type(document: dict[str, Any], contract: Contract) -> None:
    schemas = document["components"]["schemas"]

    inputs = {"USER_TEXT_INPUT", "USER_MESSAGES_INPUT", "INTERRUPTION_REQUEST"}
    assert set(schemas["SentInput"]["discriminator"]["mapping"]) == inputs
    answers = {f"{what}_RESPONSE" for what in ("PERMISSION", "CLIENT_TOOL_INVOKE", "CLARIFICATION", "CONTINUATION")}
    assert set(schemas["SentResponse"]["discriminator"]["mapping"]) == answers
    assert "eventId" not in json.dumps([schemas[f"Sent{name}"] for name in ("UserTextInput", "PermissionResponse")])
    body = {"anyOf": [{"$ref": "#/components/schemas/TextInput"}, {"$ref": "#/components/schemas/SentInput"}]}
    assert contract.misfit(body, {"text": "hi"}) is None
    assert contract.misfit(body, {"type": "USER_TEXT_INPUT", "text": "hi", "runConfig": {"runTimeout": "PT5M"}}) is None
    assert contract.misfit(body, {"type": "USER_MESSAGES_INPUT", "messages": [{"content": "hi"}]}) is None
    assert contract.misfit(body, {"type": "USER_TEXT_INPUT"}) is not None
    assert contract.misfit(body, {"type": "TEXT_DELTA", "text": "hi"}) is not None


async def test_events_are_told_apart_by_their_type_and_contents_by_theirs(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    logged = {name for name, cls in Catalog.standard() if issubclass(cls, Event)} - NO_EVENTS_OF_THE_LOG

    mapping = schemas["StandardEvent"]["discriminator"]["mapping"]
    assert set(mapping) == logged
    for wire_type, place in mapping.items():
        event = schemas[place.rpartition("/")[2]]
        assert event["properties"]["type"] == {"const": wire_type}
        assert {"eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"} <= set(event["required"])
    content = schemas["ContentAdded"]["properties"]["content"]["discriminator"]
    assert content["propertyName"] == "$type"
    assert set(content["mapping"]) == {"text", "reasoning", "data", "uri", "functionCall", "functionResult"}
    assert "eventId" not in schemas["StreamClosing"]["properties"]


async def test_a_custom_event_fits_and_a_known_one_that_lacks_something_does_not(contract: Contract) -> None:
    place = {"eventId": "3f9a1c07b2de.1", "sequenceNumber": 1, "timestamp": "2026-01-01T00:00:00.000Z"}
    head = {"version": "1.0", **place, "sessionId": "s", "branchId": "b"}
    logged = {"$ref": "#/components/schemas/LoggedEvent"}

    assert contract.misfit(logged, {**head, "type": "RETRIEVAL_PROGRESS", "found": [1]}) is None
    assert contract.misfit(logged, {**head, "type": "TEXT_DELTA", "messageId": "m", "text": "x"}) is None
    assert contract.misfit(logged, {**head, "type": "TEXT_DELTA", "messageId": "m"}) is not None
    assert contract.misfit(logged, {**head, "type": "TEXT_DELTA", "messageId": "m", "text": "x", "y": 1}) is not None
    assert contract.misfit(logged, {**head, "type": "STREAM_CLOSING", "reason": "drain"}) is not None


async def test_streams_are_described_beyond_what_openapi_has_words_for(contract: Contract) -> None:
    described = {operation.id: operation for operation in contract.operations}

    feed = described["getLive"].responses["200"]["content"]["text/event-stream"]["x-event-stream"]
    socket = described["getSocket"].described["x-websocket"]
    assert feed["data"] == {"$ref": "#/components/schemas/StreamedEvent"}
    assert {line for frame in feed["frames"] for line in frame["lines"]} == {"id", "data", "retry"}
    assert socket["receive"]["schema"] == {"$ref": "#/components/schemas/SocketEvent"}
    assert socket["send"]["schema"] == {"$ref": "#/components/schemas/SocketEnvelope"}
    assert {code.value for code in CloseCode} <= {close["code"] for close in socket["closeCodes"]}


async def test_what_is_outside_of_every_route_is_answered_as_described(plain_edge: Client, contract: Contract) -> None:
    outside = contract.outside_routes()
    methods: dict[str, set[str]] = {}
    for operation in contract.operations:
        methods.setdefault(operation.path, set()).add(operation.method)

    for path, described in methods.items():
        allowed = described | {"OPTIONS", *(["HEAD"] if "GET" in described else [])}
        options = await plain_edge.http.options(path)
        assert options.status_code == 204
        assert set(options.headers["allow"].split(", ")) == allowed
        head = await plain_edge.http.head(path)
        got = await plain_edge.http.get(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        unanswered = next(method for method in ("PUT", "POST", "PATCH") if method not in described)
        wrong = await plain_edge.http.request(unanswered, path)
        assert wrong.status_code == 405
        assert contract.misfit(outside["405"], wrong.json()) is None
    unknown = await plain_edge.http.get("/nowhere")
    assert contract.misfit(outside["404"], unknown.json()) is None


def _name_of(parameter: FieldDefinition) -> str:
    """Return the name by which a parameter is sent, which a route need not call it by."""
    return getattr(parameter.kwarg_definition, "name", None) or parameter.name


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
