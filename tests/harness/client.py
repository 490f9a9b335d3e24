"""A client's hands: requests to one server."""

import asyncio
import json
from typing import Any, Self

import httpx

from tests.harness.connections import Connections
from tests.harness.feed import Feed
from tests.harness.patience import Patience


class Client:
    """Speaks to a server about one agent; `async with` opens and closes its connections."""

    def __init__(self, base: str, agent: str = "demo") -> None:
        self.base = base
        self.agent = agent
        self.http = httpx.AsyncClient(base_url=base, timeout=30, transport=Connections())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    def path(self, session: str, branch: str = "main") -> str:
        """Return the path of a branch."""
        return f"/agents/{self.agent}/sessions/{session}/branches/{branch}"

    async def session(self, session_id: str | None = None) -> str:
        """Create a session and return its id."""
        response = await self.http.post("/sessions", json={} if session_id is None else {"sessionId": session_id})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def branch(self, session: str, branch_id: str) -> str:
        """Create a branch and return its id."""
        response = await self.http.post(
            f"/agents/{self.agent}/sessions/{session}/branches", json={"branchId": branch_id}
        )
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def send(self, session: str, text: str, branch: str = "main") -> httpx.Response:
        """Submit a text."""
        return await self.http.post(f"{self.path(session, branch)}/inputs", json={"text": text})

    async def accepted(self, session: str, text: str, branch: str = "main") -> dict[str, Any]:
        """Submit a text that must be accepted, and return the answer."""
        response = await self.send(session, text, branch)
        assert response.status_code == 202, response.text
        body: dict[str, Any] = response.json()
        return body

    def feed(
        self, session: str, branch: str = "main", *, after: str | None = None, last_event_id: str | None = None
    ) -> Feed:
        """Return a follower, yet to be opened."""
        query = "" if after is None else f"?after={after}"
        return Feed(self.base, f"{self.path(session, branch)}/events/live{query}", last_event_id=last_event_id)

    async def log(self, session: str, branch: str = "main") -> list[dict[str, Any]]:
        """Return a branch's log."""
        events: list[dict[str, Any]] = json.loads(await self.log_text(session, branch))
        return events

    async def log_lines(self, session: str, branch: str = "main") -> list[str]:
        """Return a branch's log as the exact texts of its events."""
        return split_array(await self.log_text(session, branch))

    async def log_text(self, session: str, branch: str = "main", *, query: str = "", under_agent: bool = False) -> str:
        """Return the exact body of `GET events`."""
        prefix = self.path(session, branch) if under_agent else f"/sessions/{session}/branches/{branch}"
        response = await self.http.get(f"{prefix}/events{query}")
        assert response.status_code == 200, response.text
        return response.text

    async def position(self, session: str, branch: str = "main") -> str:
        """Return the place of the last event."""
        return str((await self.log(session, branch))[-1]["eventId"])

    async def ended(self, session: str, run_id: str, branch: str = "main", *, seconds: float = 30) -> dict[str, Any]:
        """Return a run once it has ended, asking until then."""
        patience = Patience()
        async with asyncio.timeout(seconds):
            while True:
                run = await self.run(session, run_id, branch)
                if run["status"] != "active":
                    return run
                await patience.wait()

    async def run(self, session: str, run_id: str, branch: str = "main") -> dict[str, Any]:
        """Return a run."""
        response = await self.http.get(f"/sessions/{session}/branches/{branch}/runs/{run_id}")
        assert response.status_code == 200, response.text
        run: dict[str, Any] = response.json()
        return run


def split_array(text: str) -> list[str]:
    """Split a JSON array of events without changing a byte of them: each begins with its version."""
    inner = text[1:-1]
    if not inner:
        return []
    first, *others = inner.split(',{"version":"1.0","type":')
    return [first, *('{"version":"1.0","type":' + other for other in others)]
