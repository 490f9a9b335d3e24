"""What one tenant's user does, by hand."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from typing import Any

import httpx

from hosting.domain.identity import Role
from tests.edge.problem import problem
from tests.edge.wire import Answer, Wire
from tests.harness.process import ServerProcess
from tests.identity.office import Office

_UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


class Tenant:
    """A user of a tenant, with a key; each request has a connection of its own."""

    def __init__(self, server: ServerProcess, key: str) -> None:
        self._base = server.url
        self.shown = f"Authorization: Bearer {key}"

    async def ask(self, method: str, path: str, body: object = None, *headers: str) -> Answer:
        """Send a request."""
        content = b"" if body is None else json.dumps(body).encode()
        shown = (self.shown, f"Content-Length: {len(content)}", *headers)
        async with Wire(self._base) as wire:
            return await wire.request(method, path, *shown, body=content)

    async def session(self) -> str:
        """Create a session and return its id."""
        answer = await self.ask("POST", "/sessions", {})
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    async def send(self, session: str, text: str, *, agent: str = "demo", **members: object) -> Answer:
        """Submit a text."""
        return await self.ask("POST", f"{path(session, agent)}/inputs", {"text": text, **members})

    async def keyed(self, session: str, key: str, text: str) -> Answer:
        """Submit a text under an Idempotency-Key."""
        return await self.ask("POST", f"{path(session)}/inputs", {"text": text}, f"Idempotency-Key: {key}")

    async def begin(self, text: str) -> tuple[str, dict[str, Any]]:
        """Let a run begin in a session of its own; return that and what was answered."""
        session = await self.session()
        answer = await self.send(session, text)
        assert answer.status == 202, answer.body
        return session, answer.json

    async def sees(self, what: str, count: int) -> bool:
        """Say, as an operator, whether there is so much of something now."""
        load = await self.ask("GET", "/load")
        assert load.status == 200, load.json
        return bool(load.json[what]["now"] == count)

    @asynccontextmanager
    async def stream(self, session: str) -> AsyncIterator[Answer]:
        """Open a live feed; what is no stream is answered whole."""
        async with Wire(self._base) as wire:
            await wire.write(_head("GET", f"{path(session)}/events/live", self.shown))
            yield await _answer(wire, 200)

    @asynccontextmanager
    async def socket(self, session: str) -> AsyncIterator[tuple[Answer, Wire]]:
        """Ask for a WebSocket."""
        async with Wire(self._base) as wire:
            await wire.write(_head("GET", f"{path(session)}/ws", self.shown, *_UPGRADE))
            yield await _answer(wire, 101), wire

    async def refused(self, open_streams: AsyncExitStack, session: str) -> str | None:
        """Open a live feed that stays; return the code of its problem, if it is refused."""
        answer = await open_streams.enter_async_context(self.stream(session))
        return None if answer.status == 200 else code(answer)


@contextmanager
def stalled(server: ServerProcess) -> Iterator[None]:
    """Keep the server's store, which is SQLite, from taking any change."""
    with closing(sqlite3.connect(server.folder / "test.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def tenant(server: ServerProcess, name: str, role: Role = Role.USER) -> Tenant:
    """Return a user of a tenant that the server knows by a key."""
    made = Tenant(server, await Office(server, server.folder / "test.db.keys").key(name, role))
    # Whoever has been seen once has a share of their own from then on.
    assert (await made.ask("GET", "/sessions" if role is Role.USER else "/load")).status == 200
    return made


def path(session: str, agent: str = "demo") -> str:
    """Return the path of a session's branch, under an agent."""
    return f"/agents/{agent}/sessions/{session}/branches/main"


def code(answer: Answer) -> str:
    """Return the code of a refusal, which must be a problem that says when to come back."""
    assert answer.status in {429, 503}, answer
    assert int(answer.headers["retry-after"]) > 0
    return str(problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body))["code"])


def _head(method: str, target: str, *headers: str) -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


async def _answer(wire: Wire, going_on: int) -> Answer:
    head = await wire.read_until(b"\r\n\r\n")
    status = int(head[9:12])
    if status == going_on:
        return Answer(status, {}, b"")
    first, _, body = head.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    missing = int(headers["content-length"]) - len(body)
    return Answer(status, headers, body + (await wire.read_until(b"}") if missing > 0 else b""))
