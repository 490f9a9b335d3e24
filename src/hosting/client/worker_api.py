"""A worker's hands: it registers, and makes its requests as the worker that it is then."""

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from hosting.client.answer import check_answer, read_answer, refusal
from hosting.client.connection import Connection
from hosting.client.environment_map import EnvironmentMap
from hosting.client.errors import AnswerLost, ServerUnreachable
from hosting.client.patience import Patience

_EXPIRED = 401


class WorkerIntroduction(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a worker says of itself; `agent_ids` are ids or names of the agents whose work it does."""

    hostname: str
    capacity: int = 1
    version: str | None = None
    projects: tuple[str, ...] = ()
    agent_ids: tuple[str, ...] = ()


class WorkerRegistered(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker is told when it registers; intervals are milliseconds.

    Who has registered with the key that older workers share has no token, and goes on with the key. `agents` are the
    ids of those whose work it can get now.
    """

    worker_id: str
    heartbeat_interval: int
    poll_interval: int
    runtime_token: str | None = None
    agents: tuple[str, ...] = ()


class _Renewed(Struct, rename="camel"):
    runtime_token: str


class WorkerApi:
    """Speaks to one server as a worker; `async with` closes its connections.

    What `call` and `lines` are asked for is in docs/reference/worker-protocol.md. Every request raises what those of
    Client do. A token that has run out is replaced on the way.
    """

    def __init__(
        self,
        url: str,
        introduction: WorkerIntroduction,
        *,
        key: str | None = None,
        patience: Patience | None = None,
        registered: WorkerRegistered | None = None,
    ) -> None:
        """Prepare to speak to the server at `url`; see Client. Who is `registered` already goes on as that.

        Raises:
            AddressRefused, KeyRefused: see Client.
        """
        self._introduction = introduction
        self._url = url
        self._key = key
        self._keyed = Connection(url, key, patience or Patience())
        self._connection = Connection(url, None, patience or Patience())
        self._registered = registered
        self._show(None if registered is None else registered.runtime_token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._keyed.close()
        await self._connection.close()

    @property
    def worker_id(self) -> str:
        """Under which name it is registered; "" before it is."""
        return "" if self._registered is None else self._registered.worker_id

    async def register(self) -> WorkerRegistered:
        """Register, under a name that is new each time."""
        content = msgspec.json.encode(self._introduction)
        answer = await self._keyed.request("POST", "/api/workers/register", content)
        self._registered = registered = read_answer(answer, WorkerRegistered)
        self._show(registered.runtime_token)
        return registered

    async def leave(self) -> None:
        """Be a worker no more; what it still has is offered to others."""
        await self.call("DELETE", self._path)

    async def snapshot(
        self, organization: str, *, session_id: str | None = None, project: str | None = None, environment: str = ""
    ) -> EnvironmentMap:
        """Take the environment map of a session or a project; the worker's own key opens it, whatever its token is."""
        said = {"orgId": organization, "sessionId": session_id, "projectId": project, "envName": environment}
        body = {name: value for name, value in said.items() if value}
        return await self._keyed.post("/api/daemon/credentials/snapshot", body, EnvironmentMap)

    async def call(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """Make a request, with a body of JSON if it has one, and return the body of the answer."""
        response = await self._connection.request(method, path, content)
        if response.status_code == _EXPIRED and await self._renew():
            response = await self._connection.request(method, path, content)
        check_answer(response)
        return response.content

    async def lines(self, path: str) -> AsyncGenerator[bytes]:
        """Yield the lines of an answer as they come."""
        begun = False
        try:
            async with self._connection.http.stream("GET", path) as response:
                if response.status_code != _EXPIRED:
                    begun = True
                    async for line in _lines(response):
                        yield line
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServerUnreachable(self._url, str(error) or type(error).__name__) from error
        except httpx.TransportError as error:
            raise AnswerLost(f"GET {path}", str(error) or type(error).__name__) from error
        if not begun:
            # Whatever it is that the token lacks, this renews it, or raises what the server says.
            for line in filter(None, (await self.call("GET", path)).split(b"\n")):
                yield line

    @property
    def _path(self) -> str:
        return f"/api/workers/{quote(self.worker_id, safe='')}"

    async def _renew(self) -> bool:
        """Replace the token; False when there is none to be replaced."""
        if self._registered is None or self._registered.runtime_token is None:
            return False
        answer = await self._keyed.request("POST", f"{self._path}/refresh-token", b"{}")
        self._show(read_answer(answer, _Renewed).runtime_token)
        return True

    def _show(self, token: str | None) -> None:
        shown = token or self._key
        if shown is not None:
            self._connection.http.headers["Authorization"] = f"Bearer {shown}"


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes]:
    if not response.is_success:
        await response.aread()
        raise refusal(response)
    # Not the library's lines: those end at characters that JSON may hold.
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
