"""Services with an OpenAPI document: their operations are an agent's tools."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.tools.session import TOOLBOX, Toolbox, make_toolbox, write_toolsets

OWN: Final = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
KEY: Final = "tell-nobody"
PIXEL: Final = b"\x89PNG\r\n\x1a\n" + bytes(8)


async def test_an_agent_lists_and_makes_sessions_of_the_server_that_it_runs_in(
    make_server: Callable[..., ServerProcess], sqlite_url: str, port: int
) -> None:
    server = make_server(sqlite_url, TOOLBOX, port=port)
    operations = ["listSessions", "getSession", "postSession"]
    own = {"name": "own", "baseUrl": f"http://127.0.0.1:{port}", "specFile": str(OWN), "operations": operations}
    write_toolsets(server, openApi=[own])
    server.start()
    async with Client(server.url, "toolbox") as client:
        box = Toolbox(client, await client.session())

        seen = await box.does("?")
        told = await box.does(
            f'own_listSessions {{"limit": 1}} & own_getSession {{"session_id": "{box.session}"}}',
            'own_getSession {"session_id": "none"}',
            "own_getSession",
            'own_getSession {"session_id": ".."}',
        )
        accepted = await client.accepted(box.session, 'own_postSession {"body": {"sessionId": "made-by-an-agent"}}')
        async with client.feed(box.session, after=accepted["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
        await box.answer(asked, approved=True)
        made = await box.ended(accepted["runtimeRunId"])
        found = await client.http.get("/sessions/made-by-an-agent")
        check_log(await client.log(box.session))

    assert seen.text.split() == ["own_getSession", "own_listSessions", "own_postSession"]
    right, wrong = told.results[:2], told.results[2:]
    assert [box.session in result["text"] for result in right] == [True, True]
    assert [result["resultType"] for result in wrong] == ["error"] * 3
    for sentence, result in zip(("answers 404 Not Found", "needs session_id", "another operation"), wrong, strict=True):
        assert sentence in result["text"]
    assert "session-not-found" in wrong[0]["text"]
    assert {(event["callType"], event["toolHarnessName"]) for event in told.of("TOOL_CALL_START")} == {
        ("open_api", "own")
    }
    assert (asked["functionName"], made.results[0]["json"]["id"]) == ("own_postSession", "made-by-an-agent")
    assert found.status_code == 200


async def test_a_service_that_misbehaves_is_an_error_of_the_call_and_never_learns_more_than_it_should(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    async with _service() as (port, requests):
        names = ["away", "back", "echo", "fails", "huge", "image", "never", "nothing"]
        paths = {f"/{name}": {"get": {"operationId": name}} for name in names}
        odd = {
            "name": "odd",
            "baseUrl": f"http://127.0.0.1:{port}",
            "spec": {"openapi": "3.1.0", "paths": paths},
            "headers": {"X-Api-Key": KEY},
            "timeoutSeconds": 2,
        }
        server = make_toolbox(make_server, sqlite_url, openApi=[odd]).start()
        async with Client(server.url, "toolbox") as client:
            box = Toolbox(client, await client.session())
            told = await box.does(" & ".join(f"odd_{name}" for name in names))
            again = await box.does("odd_echo")
            log = await client.log(box.session)

    assert told.run["status"] == "completed"
    results = {event["name"].removeprefix("odd_"): event["result"] for event in told.of("TOOL_CALL_RESULT")}
    assert results["away"] == {
        "text": "Error: It redirects to another host, which is not followed.",
        "resultType": "error",
    }
    assert results["back"]["json"] == {"got": "/nothing-else"}
    assert results["fails"]["text"] == "Error: The service odd answers 500 Broken: your key is ***"
    assert results["huge"]["text"].endswith("\n(Cut here: the answer is longer than 262144 bytes.)")
    pixel = {"type": "binary", "mimeType": "image/png", "data": base64.b64encode(PIXEL).decode()}
    assert results["image"]["content"] == [pixel]
    assert results["never"]["resultType"] == "timeout"
    assert results["nothing"]["text"] == "204 No Content"
    assert (KEY in requests["/echo"], "Cookie" in again.text) == (True, False)
    check_log(log)
    assert KEY not in json.dumps(log)
    assert KEY not in server.errors.read_text()


@asynccontextmanager
async def _service() -> AsyncIterator[tuple[int, dict[str, str]]]:
    """Run a service that does what its paths say; the heads of its requests are kept."""
    requests: dict[str, str] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            requests[path] = head
            if path == "/never":
                await reader.read()
                return
            writer.write(_answer(path, head))
            await writer.drain()
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], requests


def _answer(path: str, head: str) -> bytes:
    status, fields, body = "200 OK", {"Content-Type": "application/json"}, b""
    match path:
        case "/away":
            status, fields = "302 Found", {"Location": "http://localhost.:9/nothing-else"}
        case "/back":
            status, fields = "302 Found", {"Location": "/nothing-else"}
        case "/nothing-else":
            body = b'{"got": "/nothing-else"}'
        case "/echo":
            fields |= {"Set-Cookie": "of=another"}
            body = json.dumps(head).encode()
        case "/fails":
            status, body = "500 Broken", f"your key is {KEY}".encode()
        case "/huge":
            fields, body = {"Content-Type": "text/plain"}, b"x" * (300 << 10)
        case "/image":
            fields, body = {"Content-Type": "image/png"}, PIXEL
        case "/nothing":
            status = "204 No Content"
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "Connection: close"]
    if status[:3] != "204":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
