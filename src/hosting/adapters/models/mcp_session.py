"""The session that an agent has with an MCP server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import httpx2
import structlog
from fastmcp.client import Client
from fastmcp.client.transports import ClientTransport, StdioTransport, StreamableHttpTransport
from mcp import types
from mcp.shared.exceptions import MCPError

from hosting.adapters.models.own_origin import client_of_origin
from hosting.adapters.models.secrets import Secrets, revealed, secret_values, secrets_of_url
from hosting.adapters.models.toolset_failed import ToolsetFailed
from hosting.domain.toolset_config import McpServer, masked_url

T = TypeVar("T")

_log = structlog.get_logger("branchline.mcp")

_FRESH_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 2.0
_LONGEST_MESSAGE: Final = 2_000
_MOST_TOOLS: Final = 512


class McpSession:
    """One session that all runs of an agent share: opened when it is needed, and again after it has broken.

    A session in which a call failed or took too long is doubted: before it is used again the server must answer, or it
    is left, which ends the process of a command. `environment` is where variables are looked up.
    """

    def __init__(
        self, server: McpServer, environment: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._clock = clock
        self._url = "" if server.url is None else server.url.reveal()
        self._headers = {
            **revealed(server.headers),
            **{name: environment[of] for name, of in server.header_variables.items()},
        }
        self._environment = _of_command(server, environment)
        self.secrets = Secrets([*self._headers.values(), *secrets_of_url(self._url), *secret_values(self._environment)])
        self._opening = asyncio.Lock()
        self._client: Client[Any] | None = None
        self._doubted = False
        self._listed: tuple[float, list[types.Tool]] | None = None
        # Until when, and why: an error itself would grow by a traceback each time that it is raised.
        self._failed: tuple[float, str] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def tools(self) -> list[types.Tool]:
        """Return the server's tools, as they were some seconds ago at most.

        Raises:
            ToolsetFailed: it cannot be reached; after that it is left alone for as long as that took.
        """
        listed = self._listed
        if listed is not None and not self._doubted and self._clock() - listed[0] < _FRESH_SECONDS:
            return listed[1]
        began = self._clock()
        try:
            return await self._list_patiently()
        except ToolsetFailed as error:
            if not self._is_left_alone():
                self._leave_alone(began, error)
            raise

    async def call(self, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Call a tool; takes as long as it takes.

        Raises:
            ToolsetFailed: the server cannot be reached, has gone away, or refuses the call.
        """
        client = await self._ready()
        return await self._asked(client, client.call_tool_mcp(name, dict(arguments)))

    async def close(self) -> None:
        """End the session, and with it the process of a command."""
        async with self._opening:
            self._leave()
        while self._leaving:
            await asyncio.wait(set(self._leaving))

    async def _list_patiently(self) -> list[types.Tool]:
        is_new = self._client is None
        try:
            return await self._list()
        except ToolsetFailed:
            if is_new or self._is_left_alone():
                raise
        # A session that has been idle may have broken long ago, and a new one is as good.
        self._doubted = True
        return await self._list()

    async def _list(self) -> list[types.Tool]:
        client = await self._ready(waits=True)
        listed = await self._within(self._asked(client, client.list_tools()))
        self._listed, self._failed = (self._clock(), listed[:_MOST_TOOLS]), None
        return self._listed[1]

    def _is_left_alone(self) -> bool:
        return self._failed is not None and self._clock() < self._failed[0]

    def _leave_alone(self, began: float, error: ToolsetFailed) -> None:
        now = self._clock()
        self._failed = (now + max(_PAUSE_SECONDS, now - began), str(error))

    async def _ready(self, *, waits: bool = False) -> Client[Any]:
        async with self._opening:
            # Runs that begin while the server is down must not try it one after the other.
            if waits and self._failed is not None and self._is_left_alone():
                raise ToolsetFailed(self._failed[1])
            if self._client is not None and self._doubted and not await self._answers(self._client):
                self._leave()
            self._doubted = False
            if self._client is None:
                self._client = await self._open()
                self._failed = None
            return self._client

    async def _answers(self, client: Client[Any]) -> bool:
        try:
            async with asyncio.timeout(min(_PATIENCE_SECONDS, self._server.timeout_seconds)):
                await client.list_tools()
        except Exception:  # noqa: BLE001 - whatever it is, this session is not to be used any more
            return False
        return True

    async def _open(self) -> Client[Any]:
        client = Client[Any](self._transport(), name=self._server.name, log_handler=_pass_over, init_timeout=0)
        began = self._clock()
        try:
            await self._within(self._entered(client))
        except ToolsetFailed as error:
            self._leave_alone(began, error)
            raise
        return client

    async def _entered(self, client: Client[Any]) -> None:
        try:
            await client.__aenter__()  # type: ignore[no-untyped-call]  # fastmcp has no types here
        except Exception as error:
            what = "cannot be started" if self._server.url is None else "cannot be reached"
            raise self._told(what, error) from error

    def _transport(self) -> ClientTransport:
        server = self._server
        if server.command is not None:
            return StdioTransport(server.command, list(server.args), env=self._environment, keep_alive=False)
        url = self._url

        def client(
            headers: dict[str, str] | None = None,
            timeout: httpx2.Timeout | None = None,
            auth: httpx2.Auth | None = None,
            follow_redirects: bool = True,  # noqa: FBT001 - fastmcp calls it so
        ) -> httpx2.AsyncClient:
            return client_of_origin(url, headers=headers or {}, timeout=timeout or httpx2.Timeout(30.0, read=None))

        return StreamableHttpTransport(url, headers=self._headers, httpx_client_factory=client)

    async def _within(self, work: Awaitable[T]) -> T:
        seconds = self._server.start_timeout_seconds
        clock = asyncio.timeout(seconds)
        try:
            async with clock:
                return await work
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise ToolsetFailed(f"The MCP server {self._server.name} did not answer within {seconds:g} s.") from error

    async def _asked(self, client: Client[Any], work: Awaitable[T]) -> T:
        try:
            return await work
        except asyncio.CancelledError:
            # Interrupted, or too slow: perhaps it hangs.
            self._doubt(client)
            raise
        except MCPError as error:
            self._doubt(client)
            if error.code == types.CONNECTION_CLOSED:
                raise self._told("has gone away; what a call to it has done is not known", error) from error
            refusal = self.secrets.hide(error.message)[:_LONGEST_MESSAGE]
            raise ToolsetFailed(f"The MCP server {self._server.name} refuses: {refusal}") from error
        except Exception as error:
            self._doubt(client)
            raise self._told("failed", error) from error

    def _doubt(self, client: Client[Any]) -> None:
        if self._client is client:
            self._doubted = True

    def _told(self, what: str, error: Exception) -> ToolsetFailed:
        # The texts of a library's exceptions hold URLs and paths.
        _log.warning("mcp server", server=self._server.name, at=self._place(), what=what, error=_kind(error))
        return ToolsetFailed(f"The MCP server {self._server.name} {what}.")

    def _place(self) -> str:
        return self._server.command or masked_url(self._url)

    def _leave(self) -> None:
        client, self._client, self._listed = self._client, None, None
        if client is None:
            return
        # Beside: a process that does not want to end is given seconds, and the next session does not wait for them.
        task = asyncio.create_task(_close(client), name=f"leaving the MCP server {self._server.name}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _close(client: Client[Any]) -> None:
    try:
        await client.close()  # type: ignore[no-untyped-call]  # fastmcp has no types here
    except Exception as error:  # noqa: BLE001 - a session that broke may break once more when it is left
        _log.info("mcp server left", error=_kind(error))


async def _pass_over(message: object) -> None:
    """Ignore what a server wants to be logged."""


def _of_command(server: McpServer, environment: Mapping[str, str]) -> dict[str, str]:
    given = server.environment
    return revealed(given) if isinstance(given, dict) else {name: environment[name] for name in given}


def _kind(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    code = getattr(error, "errno", None) or getattr(getattr(error, "response", None), "status_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
