"""A conversation on one branch, as a client has it that only knows requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.patience import Patience

Log = list[dict[str, Any]]

_ID_MEMBER = {"PERMISSION_RESPONSE": "permissionId", "CONTINUATION_RESPONSE": "continuationId"}


class Talk:
    """Speaks to one branch, and reads what came of it."""

    def __init__(self, client: Client, session: str, branch: str = "main") -> None:
        self.client = client
        self.session = session
        self.branch = branch
        self.path = client.path(session, branch)

    @classmethod
    async def begin(cls, client: Client) -> Self:
        """Begin a conversation in a session of its own."""
        return cls(client, await client.session())

    async def post(self, what: str, body: object = None) -> httpx.Response:
        """Post to one of the branch's routes; None is no body at all."""
        if body is None:
            return await self.client.http.post(f"{self.path}/{what}")
        return await self.client.http.post(f"{self.path}/{what}", json=body)

    async def get(self, what: str) -> Any:
        """Return what one of the branch's routes shows."""
        response = await self.client.http.get(f"{self.path}/{what}")
        assert response.status_code == 200, response.text
        return response.json()

    async def send(self, text: str, behavior: str | None = None, **members: Any) -> httpx.Response:
        """Submit a text, with a `runningRunBehavior` or without."""
        said = {"text": text} | ({} if behavior is None else {"runningRunBehavior": behavior})
        return await self.post("inputs", said | members)

    async def say(self, text: str, behavior: str | None = None, **members: Any) -> dict[str, Any]:
        """Submit a text that must be accepted, and return the answer."""
        response = await self.send(text, behavior, **members)
        assert response.status_code == 202, response.text
        body: dict[str, Any] = response.json()
        return body

    async def interrupt(self, **body: Any) -> httpx.Response:
        """Interrupt what runs."""
        return await self.post("interrupt", body)

    async def remove(self, run_id: str) -> httpx.Response:
        """Take a run out of the queue."""
        return await self.client.http.delete(f"{self.path}/queue/{run_id}")

    async def queue(self) -> Log:
        """Return what waits."""
        items: Log = (await self.get("queue"))["items"]
        return items

    async def log(self) -> Log:
        """Return the log."""
        return await self.client.log(self.session, self.branch)

    async def asked(self, count: int = 1) -> Log:
        """Return the open questions once there are so many."""
        found: Log = await self.until(lambda: self.get("interactions"), lambda open_: len(open_) == count)
        return found

    async def answer(self, interaction: dict[str, Any], **members: Any) -> None:
        """Answer a question; the answer must be accepted."""
        kind = interaction["expectedResponseType"]
        body = {"type": kind, _ID_MEMBER.get(kind, "requestId"): interaction["requestId"], **members}
        response = await self.post("responses", body)
        assert response.status_code == 200, response.text

    async def logged(self, so: Callable[[dict[str, Any]], bool], *, seconds: float = 20) -> Log:
        """Return the log once it has such an event."""
        found: Log = await self.until(self.log, lambda log: any(so(event) for event in log), seconds=seconds)
        return found

    async def idle(self, *, seconds: float = 20) -> Log:
        """Return the log, which must be in order, once nothing runs and nothing waits."""
        await self.until(lambda: self.get("runs/active"), lambda run: run is None, seconds=seconds)
        log = await self.log()
        check_log(log)
        return log

    async def until(self, look: Callable[[], Awaitable[Any]], so: Callable[[Any], bool], *, seconds: float = 20) -> Any:
        """Look until it is so, and return what was seen."""
        patience = Patience()
        async with asyncio.timeout(seconds):
            while True:
                if so(found := await look()):
                    return found
                await patience.wait()


@asynccontextmanager
async def talking(base: str, agent: str = "demo") -> AsyncIterator[Talk]:
    """Begin a conversation with an agent."""
    async with Client(base, agent) as client:
        yield await Talk.begin(client)
