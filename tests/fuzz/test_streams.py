"""The two routes that the fuzz leaves out: each of their answers, and each frame, is one that the description knows."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.generate.pages import REFERENCE
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.harness.client import Client
from tests.harness.contract import Answer, Contract, Json, Operation
from tests.harness.conversation import answer_to, is_request, post_answer
from tests.harness.feed import Frame, completed
from tests.harness.process import ServerProcess

DOCUMENT: Json = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))
CONTRACT = Contract(DOCUMENT)
OPERATIONS = {operation.id: operation for operation in CONTRACT.operations}

EVIL = "https://evil.example"
REFUSALS = (
    ({"agent_id": "none"}, {}, 404, "agent-not-found"),
    ({"session_id": "none"}, {}, 404, "session-not-found"),
    ({"session_id": "%00"}, {}, 404, "session-not-found"),
    ({"branch_id": "none"}, {}, 404, "branch-not-found"),
    ({"branch_id": "x" * 2000}, {}, 404, "branch-not-found"),
    ({}, {"Origin": EVIL}, 403, "origin-refused"),
    ({}, {"Origin": "null"}, 403, "origin-refused"),
)
BAD_POSITIONS = (
    ("nonsense", "malformed"),
    ("%00", "malformed"),
    ("-1", "malformed"),
    ("0123456789ab.1", "foreign"),
    ("9" * 2000, "malformed"),
    ("{epoch}.999999", "future"),
)
ANSWERS: dict[str, Json] = {
    "PERMISSION_REQUEST": {"approved": True, "choice": "allow_always"},
    "CLARIFICATION_REQUEST": {"answer": "blue"},
    "CONTINUATION_REQUEST": {"approved": True, "extensionAmount": 1},
    "CLIENT_TOOL_INVOKE_REQUEST": {"content": [{"type": "text", "text": "done"}]},
}
COMMANDS = (
    *("hi", "/tokens 3", "/reason", "/tool", "/subagent", "/fail", "/history"),
    *("/permission", "/parallel", "/clarify", "/continue", "/client-tool"),
)
FRAMES = (
    ("nonsense", 1003, b"\x00"),
    ("an event", 1007, '{"type": "TEXT_DELTA"}'),
    ("no JSON", 1007, "{"),
    ("nothing to interrupt", 1008, '{"type": "INTERRUPTION_REQUEST"}'),
    ("too deep", 1009, "[" * 65 + "]" * 65),
    ("too large", 1009, json.dumps({"type": "USER_TEXT_INPUT", "text": "x" * (1 << 20)})),
)


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for all tests here; each makes a session of its own."""
    folder: Path = tmp_path_factory.mktemp("streams")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db") as server:
        yield server


@pytest.fixture
async def client(streaming: ServerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(streaming.url) as client:
        yield client


def path_of(operation: Operation, session: str, others: dict[str, str]) -> str:
    """Return the path of a route on the branch `main`, with some other ids."""
    return operation.path.format(**{"agent_id": "demo", "session_id": session, "branch_id": "main", **others})


@pytest.mark.parametrize(("ids", "headers", "status", "code"), REFUSALS)
@pytest.mark.parametrize("name", ["getLive", "getSocket"])
async def test_a_refusal_is_documented(
    client: Client, name: str, ids: dict[str, str], headers: dict[str, str], status: int, code: str
) -> None:
    operation = OPERATIONS[name]
    path = path_of(operation, await client.session(), ids)

    response = await client.http.get(path, headers=headers)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert CONTRACT.fault(operation, Answer(response.status_code, response.headers, response.content)) is None


@pytest.mark.parametrize(("ids", "headers", "status", "code"), REFUSALS)
async def test_a_refused_handshake_is_documented(
    client: Client, ids: dict[str, str], headers: dict[str, str], status: int, code: str
) -> None:
    operation = OPERATIONS["getSocket"]
    url = client.base.replace("http", "ws", 1) + path_of(operation, await client.session(), ids)

    with pytest.raises(InvalidStatus) as refused:
        await connect(url, additional_headers=headers, proxy=None)

    response = refused.value.response
    lowered = {header.lower(): value for header, value in response.headers.raw_items()}
    assert (response.status_code, json.loads(response.body)["code"]) == (status, code)
    assert CONTRACT.fault(operation, Answer(response.status_code, lowered, bytes(response.body))) is None


async def test_a_request_that_is_no_handshake_is_documented(client: Client) -> None:
    operation = OPERATIONS["getSocket"]

    response = await client.http.get(path_of(operation, await client.session(), {}))

    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert CONTRACT.fault(operation, Answer(response.status_code, response.headers, response.content)) is None


@pytest.mark.parametrize(("position", "reason"), BAD_POSITIONS)
@pytest.mark.parametrize("in_header", [False, True])
async def test_a_bad_position_is_answered_by_200_and_the_frame_that_is_documented(
    client: Client, position: str, reason: str, in_header: bool
) -> None:
    session = await client.session()
    asked = position.format(epoch=(await client.position(session)).partition(".")[0])

    async with client.feed(session, **{"last_event_id" if in_header else "after": asked}) as feed:
        assert CONTRACT.fault(OPERATIONS["getLive"], Answer(feed.status, feed.headers, b"")) is None
        opening, reset = await feed.frame(), await feed.frame()

    assert opening is not None
    assert lines(opening) == {"retry", "id"}
    assert reset is not None
    assert lines(reset) == {"id", "data"}
    assert reset.json["reason"] == reason
    assert CONTRACT.misfit(frame_schema("first"), reset.json) is None


@pytest.mark.parametrize("text", COMMANDS)
async def test_everything_that_a_run_tells_fits_the_description(client: Client, text: str) -> None:
    session = await client.session()
    accepted = await client.accepted(session, text)

    async with client.feed(session, after=accepted["position"]) as feed:
        frames = await feed.until(settles)
        while not completed(request := frames[-1].json):
            answer = answer_to(request, **ANSWERS[request["type"]])
            assert (await post_answer(client, session, answer)).status_code == 200
            frames += await feed.until(settles)

    assert {frozenset(lines(frame)) for frame in frames} == {frozenset({"id", "data"})}
    for event in await client.log(session):
        assert CONTRACT.misfit(frame_schema("for each"), event) is None


async def test_what_goes_over_a_websocket_fits_the_description(client: Client) -> None:
    operation = OPERATIONS["getSocket"]
    goes_in, comes_out = (operation.described["x-websocket"][way]["schema"] for way in ("send", "receive"))
    sent = [
        {"type": "PERMISSION_RESPONSE", "permissionId": "req_none", "approved": True},
        {"type": "USER_TEXT_INPUT", "text": "hi", "clientInputId": "1"},
    ]
    seen: list[dict[str, Any]] = []

    url = client.base.replace("http", "ws", 1) + path_of(operation, await client.session(), {})
    async with connect(url, proxy=None) as socket:
        for envelope in sent:
            assert CONTRACT.misfit(goes_in, envelope) is None
            await socket.send(json.dumps(envelope))
        while not seen or seen[-1]["type"] != "BRANCH_RUN_COMPLETED":
            seen.append(json.loads(await socket.recv()))

    assert seen[0]["type"] == "AGENT_RESPONSE_REJECTED"
    for event in seen:
        assert CONTRACT.misfit(comes_out, event) is None


@pytest.mark.parametrize(("what", "code", "frame"), FRAMES)
async def test_a_websocket_is_closed_with_a_code_and_a_reason_that_are_documented(
    client: Client, what: str, code: int, frame: str | bytes
) -> None:
    operation = OPERATIONS["getSocket"]
    documented: dict[int, list[str]] = {}
    for told in operation.described["x-websocket"]["closeCodes"]:
        documented.setdefault(told["code"], []).extend(told["reasons"])

    url = client.base.replace("http", "ws", 1) + path_of(operation, await client.session(), {})
    async with connect(url, proxy=None) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await read_all(socket)

    close = closed.value.rcvd
    assert close is not None
    assert (what, close.code) == (what, code)
    assert close.reason in ("", *documented[code])


def settles(event: Json) -> bool:
    """Say whether an event is a question, or the last of its run."""
    return is_request(event) or completed(event)


async def read_all(socket: ClientConnection) -> None:
    """Read until the connection is closed, which raises."""
    while True:
        await socket.recv()


def lines(frame: Frame) -> set[str]:
    """Return the names of a block's lines."""
    return {name for name in ("id", "data", "event", "retry") if getattr(frame, name) is not None}


def frame_schema(when: str) -> Json:
    """Return the schema of the data of a kind of frame, by the first words that say when it is sent."""
    media = OPERATIONS["getLive"].responses["200"]["content"]["text/event-stream"]
    found = next(frame for frame in media["x-event-stream"]["frames"] if frame["when"].startswith(when))
    schema: Json = found["lines"]["data"]
    return schema
