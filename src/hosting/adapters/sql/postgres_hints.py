"""Hints between servers by PostgreSQL's NOTIFY, on one connection of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hosting.domain.scope import NodeId
from hosting.ports.hints import Hint

_log = structlog.get_logger("branchline.hints")

_CHANNEL: Final = "branchline"
_NOTIFY: Final = f"SELECT pg_notify('{_CHANNEL}', $1)"
_LONGEST_PAYLOAD: Final = 7_999
"""In bytes (https://www.postgresql.org/docs/current/sql-notify.html)."""
_MOST_OF_A_KIND: Final = 50
_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
"""How long a server may take to pass a hint on; one that takes longer is silent, and is connected to anew."""
_SHOWN_EVERY_SECONDS: Final = 2.0
_FORGOTTEN_AFTER_SECONDS: Final = 10.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
# The third is how the driver says that a connection was ended just when something was asked on it.
_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    SQLAlchemyError,
    OSError,
    TimeoutError,
)


class _Notice(msgspec.Struct, omit_defaults=True):
    """What is sent: who sends it, whether the others are to show that they are there, and what is the news."""

    node: str
    asks: bool = False
    hint: Hint | None = None


class PostgresHints:
    """See the door, HintChannel.

    Never part of a transaction that writes: PostgreSQL lets those that notify commit one after the other, and 16
    connections then commit a quarter as often (docs/decisions/0022-hints-beside-the-commit.md).
    Whoever hears nothing of the others for a while tells them nothing.
    """

    def __init__(self, url: URL) -> None:
        settings = {
            "application_name": "branchline hints",
            # Nothing is lost with a hint, and notifying would wait for the disk like everything else.
            "synchronous_commit": "off",
        }
        timeouts = {"timeout": _CONNECT_SECONDS, "command_timeout": _ANSWER_SECONDS}
        self._engine = create_async_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args={"server_settings": settings, **timeouts}
        )
        self._driver: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._lost = asyncio.Event()
        self._asked = asyncio.Event()
        self._heard_until = 0.0
        self._node = ""

    @property
    def is_heard(self) -> bool:
        """See HintChannel.is_heard."""
        return self._driver is not None and asyncio.get_running_loop().time() < self._heard_until

    async def tell(self, hint: Hint) -> None:
        """See HintChannel.tell."""
        for piece in hint.pieces(_MOST_OF_A_KIND):
            await self._send(_Notice(self._node, hint=piece))

    async def run(self, node: NodeId, hear: Callable[[Hint | None], None]) -> None:
        """See HintChannel.run."""
        self._node, pause = node, _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._connected(hear):
                    pause = _FIRST_PAUSE_SECONDS
                    hear(None)
                    await self._attend()
                    why = "the connection was lost"
            except _FAULTS as error:
                why = str(error) or type(error).__name__
            _log.warning("hints of other servers are not heard", why=why.splitlines()[0][:300])
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    @asynccontextmanager
    async def _connected(self, hear: Callable[[Hint | None], None]) -> AsyncIterator[None]:
        connection = await self._engine.connect()
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            self._lost.clear()
            driver.add_termination_listener(lambda _: self._lost.set())
            await driver.add_listener(_CHANNEL, lambda *notified: self._take(str(notified[-1]), hear))
            self._driver = driver
            try:
                yield
            finally:
                self._driver = None
                # At once: the polite way waits for an answer, and a server that gives none is why we are here.
                driver.terminate()
        finally:
            with suppress(*_FAULTS):
                await connection.close()

    async def _attend(self) -> None:
        """Show now and then that this server is there, until the connection is lost."""
        await self._send(_Notice(self._node, asks=True))
        while not self._lost.is_set():
            self._asked.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_SHOWN_EVERY_SECONDS):
                    await _first_of(self._lost, self._asked)
            if not self._lost.is_set():
                await self._send(_Notice(self._node))

    async def _send(self, notice: _Notice) -> None:
        payload = msgspec.json.encode(notice)
        if len(payload) > _LONGEST_PAYLOAD:
            return
        async with self._one_at_a_time:
            if self._driver is None:
                return
            try:
                await self._driver.execute(_NOTIFY, payload.decode())
            except _FAULTS as error:
                _log.info("a hint was not told", why=str(error) or type(error).__name__)
                self._lost.set()

    def _take(self, payload: str, hear: Callable[[Hint | None], None]) -> None:
        try:
            notice = msgspec.json.decode(payload, type=_Notice)
        except msgspec.DecodeError:
            # Of a server that tells in other words, or of somebody else who uses this channel.
            return
        if notice.node == self._node:
            return
        self._heard_until = asyncio.get_running_loop().time() + _FORGOTTEN_AFTER_SECONDS
        if notice.asks:
            self._asked.set()
            # It has come, or come back: what it would have told while it could not is not known here.
            hear(None)
        if notice.hint is not None:
            hear(notice.hint)


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
