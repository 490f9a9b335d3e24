"""Before the handshake is answered, a refusal is what it is on every other route: a problem document."""

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hosting import create_app
from hosting.settings import Settings
from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request
from tests.harness.process import ServerProcess
from tests.sockets.listening import listening
from tests.sockets.raw import RawSocket
from tests.sockets.talk import Talk

MISSING = (
    ("/agents/none/sessions/none/branches/none/ws", "agent-not-found"),
    ("/agents/none/sessions/{session}/branches/main/ws", "agent-not-found"),
    ("/agents/demo/sessions/none/branches/main/ws", "session-not-found"),
    ("/agents/demo/sessions/{session}/branches/none/ws", "branch-not-found"),
    ("/agents/demo/sessions/a%00b/branches/main/ws", "session-not-found"),
)
NO_SOCKETS = ("/", "/nowhere", "/healthz", "/sessions", "/agents/demo/sessions/{session}/branches/main/events/live")


@pytest.mark.parametrize(("path", "code"), MISSING)
@pytest.mark.parametrize("after", ["", "?after=nonsense"])
async def test_what_is_not_there_is_404_with_and_without_a_handshake(
    client: Client, path: str, code: str, after: str
) -> None:
    path = path.format(session=await client.session()) + after

    refusal = await _refusal(client, path)
    response = await client.http.get(path)

    document = problem(response)
    assert (response.status_code, document["code"]) == (404, code)
    assert refusal == (404, "application/problem+json", response.content)


async def test_a_request_that_is_no_handshake_is_400(client: Client) -> None:
    session = await client.session()

    response = await client.http.get(f"{client.path(session)}/ws")

    assert (response.status_code, problem(response)["code"]) == (400, "invalid-request")
    assert "Upgrade: websocket" in problem(response)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_405(client: Client, method: str) -> None:
    session = await client.session()

    response = await client.http.request(method, f"{client.path(session)}/ws")

    assert (response.status_code, problem(response)["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize("path", NO_SOCKETS)
async def test_a_handshake_elsewhere_is_404(client: Client, path: str) -> None:
    path = path.format(session=await client.session())

    status, media_type, body = await _refusal(client, path)

    assert (status, media_type) == (404, "application/problem+json")
    assert b'"code":"not-found"' in body


async def test_a_page_of_a_foreign_origin_is_403_and_the_own_one_is_let_in(client: Client) -> None:
    session = await client.session()
    path = f"{client.path(session)}/ws"

    status, media_type, body = await _refusal(client, path, origin="https://evil.example")
    async with RawSocket(client.base, path, f"Origin: {client.base}") as own:
        let_in = own.answer

    assert (status, media_type) == (403, "application/problem+json")
    assert b'"code":"origin-refused"' in body
    assert let_in.startswith("HTTP/1.1 101 ")


async def test_a_client_that_offers_compression_gets_none(client: Client) -> None:
    session = await client.session()
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"

    async with RawSocket(client.base, f"{client.path(session)}/ws", offer) as raw:
        answer = raw.answer.lower()

    assert answer.startswith("http/1.1 101 ")
    assert "sec-websocket-extensions" not in answer


async def test_nothing_of_a_refused_handshake_is_logged_as_an_error(sqlite_server: ServerProcess) -> None:
    async with Client(sqlite_server.url) as client:
        for path in ("/nowhere", MISSING[0][0]):
            await _refusal(client, path)

    assert sqlite_server.errors.read_text() == ""


async def test_another_server_than_ours_serves_the_same(sqlite_url: str) -> None:
    app = create_app(settings=Settings(database_url=sqlite_url))
    config = uvicorn.Config(app, port=0, ws="websockets-sansio", log_config=None)
    async with listening(uvicorn.Server(config)) as base, Client(base) as client:
        session = await client.session()

        async with Talk(client, session) as talk:
            await talk.say("/tokens 500")
            await talk.end()
            await talk.say("/clarify")
            await talk.send(answer_to(await talk.until(is_request), answer="red"))
            await talk.end()
            await talk.send(b"")
            ending = await talk.ending()
        refusal = await _refusal(client, MISSING[0][0])

        assert talk.lines == (await client.log_lines(session))[1:]
    assert ending == (1003, "Only text frames hold envelopes")
    assert refusal[:2] == (404, "application/problem+json")


async def _refusal(client: Client, path: str, origin: str | None = None) -> tuple[int, str, bytes]:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(InvalidStatus) as refused:
        await connect(client.base.replace("http", "ws", 1) + path, additional_headers=headers, proxy=None)
    response = refused.value.response
    return response.status_code, response.headers["content-type"], bytes(response.body)
