"""What the tests of credentials do at a server: as an operator, as who runs workers, and past it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.harness.feed import Frame

Json = dict[str, Any]
SNAPSHOT = "/api/daemon/credentials/snapshot"
ROTATE = "/api/daemon/credentials/rotate"
STREAM = "/api/daemon/credentials/rotate-stream"


@dataclass(frozen=True)
class Safe(Gate):
    """A server that keeps credentials."""

    @asynccontextmanager
    async def operator(self, tenant: str) -> AsyncIterator["Keeper"]:
        """Return an operator's hands on a tenant."""
        async with self.client(await self.key(tenant, Role.OPERATOR)) as http:
            yield Keeper(http)

    @asynccontextmanager
    async def holder(self, tenant: str, project: str | None = None) -> AsyncIterator["Holder"]:
        """Return the hands of who runs workers for a tenant, or for a project of it."""
        known, key = await self.known_key(tenant, Role.WORKER, project)
        async with self.client(key) as http:
            yield Holder(http, tenant, known.id)


@dataclass(frozen=True)
class Keeper:
    """An operator."""

    http: httpx.AsyncClient

    async def set(self, name: str, value: str, **layer: str) -> Json:
        """Set a credential, which must succeed."""
        answer = await self.http.put(f"/credentials/{name}", params=layer, json={"value": value})
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    async def delete(self, name: str, **layer: str) -> None:
        """Delete a credential, which must be there."""
        answer = await self.http.delete(f"/credentials/{name}", params=layer)
        assert answer.status_code == 204, answer.text

    async def listed(self, **layer: str) -> list[Json]:
        """Return the credentials without their values."""
        found: list[Json] = (await self.http.get("/credentials", params=layer)).json()["credentials"]
        return found

    async def rotate(self, tenant: str, kind: str) -> Json:
        """Announce a rotation, which must succeed."""
        answer = await self.http.post(ROTATE, json={"orgId": tenant, "kind": kind})
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    async def audit(self, entries: int) -> list[Json]:
        """Return the audit once it has so many entries, the first one first."""
        async with asyncio.timeout(20):
            while True:
                found: list[Json] = (await self.http.get("/credentials/audit")).json()["entries"]
                if len(found) >= entries:
                    return found[::-1]
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Holder:
    """Somebody who runs workers."""

    http: httpx.AsyncClient
    tenant: str
    key_id: str

    async def ask(self, **said: str) -> httpx.Response:
        """Ask for an environment map."""
        return await self.http.post(SNAPSHOT, json={"orgId": self.tenant, **said})

    async def env(self, **said: str) -> dict[str, str]:
        """Return an environment map."""
        answer = await self.ask(**said)
        assert answer.status_code == 200, answer.text
        env: dict[str, str] = answer.json()["env"]
        return env

    @asynccontextmanager
    async def following(self, session: str, *, last: str | None = None, **where: str) -> AsyncIterator["Updates"]:
        """Follow the changes of a session's credentials; it has opened when this returns."""
        headers = {} if last is None else {"Last-Event-ID": last}
        asked = self.http.stream("GET", STREAM, params={"sessionId": session, **where}, headers=headers)
        async with asyncio.timeout(40), asked as response:
            assert response.status_code == 200, (await response.aread()).decode()
            updates = Updates(response.aiter_raw())
            await updates.block()
            yield updates


class Updates:
    """A stream of changes, block by block."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._received = b""
        self.last_id: str | None = None
        self.beats = 0

    async def block(self) -> Frame | None:
        """Return the next block; None at the end."""
        while b"\n\n" not in self._received:
            piece = await anext(self._pieces, b"")
            if not piece:
                return None
            self._received += piece
        block, _, self._received = self._received.partition(b"\n\n")
        frame = Frame.parse(block)
        self.last_id = frame.id or self.last_id
        return frame

    async def update(self) -> Json | None:
        """Return the next change; None at the end."""
        while (frame := await self.block()) is not None:
            if frame.event == "UPDATE":
                return frame.json
            self.beats += 1
        return None


__all__ = ["ROTATE", "SNAPSHOT", "STREAM", "Holder", "Json", "Keeper", "Safe", "Updates", "bearer"]
