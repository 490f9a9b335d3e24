"""Pages use the server from its own and from listed origins, and from nowhere else, over HTTP and WebSocket alike."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from litestar import get

from events.control import CloseReason
from hosting import create_app
from hosting.api.origins import OriginGuard
from hosting.bootstrap import server_of
from hosting.settings import Settings
from tests.edge.in_process import in_process
from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.feed import COMPLETED
from tests.harness.process import ServerProcess

LISTED = "https://chat.example"
FOREIGN = (
    "https://evil.example",
    "http://chat.example",
    "https://chat.example:8443",
    "https://chat.example.evil.example",
    "https://evilchat.example",
    "https://other.chat.example",
    "https://chat.example.",
    "https://chat.example/",
    "https://chat.example@evil.example",
    "https://chat.example https://evil.example",
    "https://chat.example, https://chat.example",
    "chat.example",
    "file://",
    "null",
    "*",
    "",
    "https://" + "x" * 20_000 + ".example",
)
READABLE = {
    "access-control-allow-origin": LISTED,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Location, Link, Retry-After, Idempotency-Replayed, ETag, Accept-Ranges,"
    " Content-Range, Content-Disposition",
}

# Origin, Host, scheme that the server sees.
OWN = (
    ("http://127.0.0.1:8000", "127.0.0.1:8000", "http"),
    ("http://localhost:8000", "localhost:8000", "http"),
    ("http://chat.localhost:8000", "chat.localhost:8000", "http"),
    ("http://[::1]:8000", "[::1]:8000", "http"),
    ("http://192.168.7.7", "192.168.7.7:80", "http"),
    ("http://box.lan:8000", "BOX.lan:8000", "http"),
    ("https://chat.proxied", "chat.proxied", "http"),
    ("https://chat.proxied", "chat.proxied:443", "https"),
)
NOT_OWN = (
    ("http://127.0.0.1:9000", "127.0.0.1:8000", "http"),
    ("http://localhost:8000", "127.0.0.1:8000", "http"),
    ("http://127.0.0.1:8000", "127.0.0.1:8000", "https"),
    ("https://chat.proxied", "127.0.0.1:8000", "http"),
    ("https://chat.proxied", "chat.proxied:80", "http"),
    ("https://chat.proxied", "user@chat.proxied", "http"),
    ("https://chat.proxied", "", "http"),
    ("ftp://127.0.0.1", "127.0.0.1", "http"),
)
REBOUND = tuple(
    (f"http://{host}", host, "http")
    for host in (
        "evil.example:8000",
        "127.0.0.1.evil.example:8000",
        "localhost.evil.example",
        "evil-localhost:8000",
        "sub.box.lan:8000",
    )
)


@pytest.fixture(scope="module")
def listing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that lists two origins."""
    folder = tmp_path_factory.mktemp("origins")
    listed = f"http://localhost:3000, {LISTED}"
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", origins=listed) as server:
        yield server


@pytest.fixture
async def client(listing_server: ServerProcess) -> AsyncIterator[Client]:
    """A client of it, no browser yet."""
    async with Client(listing_server.url) as client:
        yield client


async def test_who_sends_no_origin_is_let_in_and_told_nothing_about_origins(client: Client) -> None:
    response = await client.http.get("/sessions")

    assert response.status_code == 200
    assert not about_origins(response)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_a_foreign_origin_is_refused_everywhere_and_changes_nothing(
    client: Client, origin: str
) -> None:
    headers = {"origin": origin}
    preflight = {**headers, "access-control-request-method": "GET"}
    answers = [
        await client.http.get("/sessions", headers=headers),
        await client.http.get("/nowhere", headers=headers),
        await client.http.post("/sessions", headers=headers, json={"sessionId": "never"}),
        await client.http.post("/sessions", headers=headers, content=b"x" * (2 << 20)),
        await client.http.options(f"{client.path('never')}/events/live", headers=preflight),
    ]

    for answer in answers:
        document = problem(answer)
        assert (answer.status_code, document["code"]) == (403, "origin-refused")
        assert len(document["detail"]) < 250
        assert answer.headers["vary"] == "Origin"
        assert not about_origins(answer)
    assert (await client.http.get("/sessions/never")).status_code == 404


async def test_a_refusal_says_what_to_do_about_it(client: Client) -> None:
    foreign = problem(await client.http.get("/sessions", headers={"origin": "https://Evil.example:443"}))
    nobody = problem(await client.http.get("/sessions", headers={"origin": "null"}))

    assert foreign["detail"] == (
        "Pages of https://evil.example may not use this server; its operator can list it in BRANCHLINE_ORIGINS."
    )
    assert nobody["detail"] == "The header Origin, 'null', names no site; its pages may not use this server."


async def test_a_page_of_the_own_origin_is_let_in(client: Client) -> None:
    response = await client.http.post("/sessions", json={}, headers={"origin": client.base})

    assert response.status_code == 201


async def test_a_page_of_a_listed_origin_may_read_every_answer(client: Client) -> None:
    page = {"origin": LISTED}
    session = await client.session()
    answers = [
        await client.http.get("/sessions", headers={**page, "content-type": "application/json"}),
        await client.http.post("/sessions", headers=page, json={}),
        await client.http.post(f"{client.path(session)}/inputs", headers=page, json={"text": "hello"}),
        await client.http.post("/sessions", headers=page, content=b"{"),
        await client.http.get("/sessions/none", headers=page),
        await client.http.get("/nowhere", headers=page),
        await client.http.delete("/sessions", headers=page),
        await client.http.post("/sessions", headers=page, json={"sessionId": session}),
        await client.http.post("/sessions", headers=page, content=b"x" * (2 << 20)),
        await client.http.options("/sessions", headers=page),
    ]

    assert [answer.status_code for answer in answers] == [200, 201, 202, 400, 404, 404, 405, 409, 413, 204]
    for answer in answers:
        assert about_origins(answer) == READABLE
        assert answer.headers["vary"] == "Origin"


async def test_a_page_of_a_listed_origin_may_read_that_the_server_broke_or_is_not_ready(sqlite_url: str) -> None:
    @get("/broken", sync_to_thread=False)
    def broken() -> None:
        raise ValueError

    app = create_app(settings=Settings(database_url=sqlite_url, origins=(LISTED,)))
    app.register(broken)
    async with in_process(app) as inside:
        server_of(app).shut(CloseReason.DRAIN)

        answers = [await inside.get(path, headers={"origin": LISTED}) for path in ("/broken", "/readyz")]

    assert [answer.status_code for answer in answers] == [500, 503]
    assert [about_origins(answer) for answer in answers] == [READABLE, READABLE]


async def test_a_listed_page_follows_a_branch(client: Client) -> None:
    session = await client.session()
    received = b""

    async with client.http.stream("GET", f"{client.path(session)}/events/live", headers={"origin": LISTED}) as feed:
        await client.accepted(session, "hello")
        async for piece in feed.aiter_bytes():
            received += piece
            if COMPLETED in received:
                break

    assert about_origins(feed) == READABLE
    assert feed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert received.startswith(b"retry: 2000\n")


async def test_a_preflight_of_a_listed_origin_is_granted_on_every_route(client: Client) -> None:
    paths = (await client.http.get("/openapi.json")).json()["paths"]
    asked = {
        "origin": LISTED,
        "access-control-request-method": "GET",
        "access-control-request-headers": "content-type,x-tenant",
    }

    for path in [*paths, "/openapi.json", "/nowhere"]:
        answer = await client.http.options(re.sub(r"\{\w+}", "x", path), headers=asked)

        assert (path, answer.status_code, answer.content) == (path, 204, b"")
        assert about_origins(answer) == {
            **READABLE,
            "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
            "access-control-allow-headers": "content-type,x-tenant",
            "access-control-max-age": "600",
        }
        assert answer.headers["vary"] == "Origin, Access-Control-Request-Headers"
    assert len(paths) > 10


async def test_a_preflight_that_asks_for_no_header_is_told_the_usual_ones(client: Client) -> None:
    answer = await client.http.options(
        "/sessions", headers={"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    )

    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-headers"] == (
        "Content-Type, Last-Event-ID, Authorization, Idempotency-Key, Range, If-Range, If-None-Match"
    )


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("origin", "host", "scheme"), OWN)
async def test_the_own_origin_is_where_the_request_went(kind: str, origin: str, host: str, scheme: str) -> None:
    assert await let_in(asked(kind, origin=origin, host=host, scheme=scheme))


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("origin", "host", "scheme"), NOT_OWN)
async def test_another_port_host_or_a_weaker_scheme_is_not_the_own_origin(
    kind: str, origin: str, host: str, scheme: str
) -> None:
    assert not await let_in(asked(kind, origin=origin, host=host, scheme=scheme))


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("origin", "host", "scheme"), REBOUND)
async def test_a_name_that_somebody_made_lead_here_is_not_the_own_origin(
    kind: str, origin: str, host: str, scheme: str
) -> None:
    assert not await let_in(asked(kind, origin=origin, host=host, scheme=scheme))


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_request_without_or_with_two_of_a_header_proves_nothing(kind: str) -> None:
    own = (b"origin", b"http://127.0.0.1:8000")
    host = (b"host", b"127.0.0.1:8000")

    assert await let_in(asked(kind, own, host))
    assert not await let_in(asked(kind, own))
    assert not await let_in(asked(kind, own, host, host))
    assert not await let_in(asked(kind, own, own, host))


@pytest.mark.parametrize("origin", [LISTED, "https://CHAT.example:443", None])
async def test_a_handshake_of_a_listed_origin_or_of_a_program_is_passed_on_untouched(origin: str | None) -> None:
    scope = asked("websocket", host="127.0.0.1:8000") if origin is None else asked("websocket", origin=origin)

    assert await sent_by(passing, scope) == [{"type": "websocket.accept", "headers": []}]


async def test_a_refused_handshake_is_answered_by_a_problem_document() -> None:
    scope = asked("websocket", origin="https://evil.example", host="127.0.0.1:8000")
    scope["extensions"] = {"websocket.http.response": {}}

    start, body = await sent_by(passing, scope)

    assert start["type"] == "websocket.http.response.start"
    assert body["type"] == "websocket.http.response.body"
    answer = httpx.Response(start["status"], headers=start["headers"], content=body["body"])
    assert (answer.status_code, problem(answer)["code"]) == (403, "origin-refused")
    assert answer.headers["content-length"] == str(len(body["body"]))
    assert json.loads(body["body"])["instance"] == "/agents/a/sessions/s/branches/main/ws"


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
async def test_a_refused_handshake_is_closed_where_there_is_no_way_to_answer(extensions: dict[str, Any] | None) -> None:
    scope = asked("websocket", origin="https://evil.example", host="127.0.0.1:8000")
    scope["extensions"] = extensions

    assert await sent_by(passing, scope) == [{"type": "websocket.close", "code": 1008, "reason": "origin-refused"}]


async def test_only_the_head_of_an_answer_is_touched() -> None:
    pieces = [{"type": "http.response.body", "body": b"piece", "more_body": more} for more in (True, False)]

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"vary", b"Accept")]})
        for piece in pieces:
            await send(piece)

    head, *rest = await sent_by(streaming, asked("http", origin=LISTED))

    assert head["headers"][0] == (b"vary", b"Accept")
    assert (b"access-control-allow-origin", LISTED.encode()) in head["headers"]
    assert [id(piece) for piece in rest] == [id(piece) for piece in pieces]


def about_origins(response: httpx.Response) -> dict[str, str]:
    """Return what an answer tells a browser about origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def asked(
    kind: str, *headers: tuple[bytes, bytes], origin: str = "", host: str = "", scheme: str = "http"
) -> dict[str, Any]:
    """Return what a server process hands on for a request or a handshake."""
    named = [(name, value.encode()) for name, value in ((b"origin", origin), (b"host", host)) if value]
    return {
        "type": kind,
        "scheme": scheme.replace("http", "ws") if kind == "websocket" else scheme,
        "method": "GET",
        "path": "/agents/a/sessions/s/branches/main/ws",
        "headers": [*headers, *named],
        "state": {},
    }


async def passing(scope: Any, receive: Any, send: Any) -> None:
    """Answer whoever gets here: an application without a door."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", "headers": []})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def let_in(scope: dict[str, Any]) -> bool:
    """Say whether a server that listens on box.lan passes this on; else it must be refused with 403 or a close."""
    first = (await sent_by(passing, scope))[0]
    assert first.get("status", 200) in {200, 403}
    return first["type"] == "websocket.accept" or first.get("status") == 200


async def sent_by(application: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is sent when this comes to an application behind its guard."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if scope["type"] == "websocket" else "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    guard = OriginGuard(application, [LISTED], "Box.lan")
    await guard(scope, receive, send)  # type: ignore[arg-type]
    return sent
