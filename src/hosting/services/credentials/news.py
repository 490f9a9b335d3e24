"""Changes among credentials on their way to who follows them, whichever server they were made on."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from hosting.domain.credential_change import CredentialChange
from hosting.domain.errors import StorageUnavailable
from hosting.domain.scope import TenantId
from hosting.ports.credentials import CredentialChanges

_log = structlog.get_logger("branchline.credentials")

_RECENT: Final = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """What has changed up to a number; None stands for changes that nobody can list any more."""

    changes: Sequence[CredentialChange] | None
    number: int


@dataclass(slots=True)
class _Tenant:
    head: int
    recent: deque[CredentialChange] = field(default_factory=lambda: deque(maxlen=_RECENT))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    readers: int = 0

    def advance(self, changes: Sequence[CredentialChange], head: int) -> None:
        self.recent.extend(changes)
        self.head = max([self.head, head, *(each.number for each in changes)])
        self.rouse()

    def rouse(self) -> None:
        self.wake.set()
        self.wake = asyncio.Event()


class News:
    """Looks for changes of the tenants that somebody follows, and wakes those who do.

    One question to the store each time, however many follow, and none while nobody does.
    """

    def __init__(self, changes: CredentialChanges) -> None:
        self._changes = changes
        self._tenants: dict[TenantId, _Tenant] = {}
        self._poked = asyncio.Event()
        self.is_shut = False

    def poke(self) -> None:
        """Look now: something was changed here."""
        self._poked.set()

    def shut(self) -> None:
        """Send everybody away."""
        self.is_shut = True
        for each in self._tenants.values():
            each.rouse()

    async def run(self, every_seconds: float) -> None:
        """Look until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(every_seconds):
                    await self._poked.wait()
            self._poked.clear()
            try:
                await self._look()
            except StorageUnavailable as error:
                _log.warning("cannot look for changes of credentials", why=error.why)

    async def head(self, tenant: TenantId) -> int:
        """Return the number of a tenant's last change.

        Raises:
            StorageUnavailable: nobody can tell now.
        """
        return (await self._changes.heads([tenant])).get(tenant, 0)

    async def missed(self, tenant: TenantId, number: int, head: int) -> Told | None:
        """Return what was changed behind a number and up to the head; None if nothing was.

        Raises:
            StorageUnavailable: nobody can tell now.
        """
        if number == head:
            return None
        changes = await self._changes.since(tenant, number)
        if number > head or not changes or changes[0].number != number + 1:
            return Told(None, max([head, *(each.number for each in changes)]))
        return Told(changes, changes[-1].number)

    @contextmanager
    def following(self, tenant: TenantId, number: int) -> Iterator["Reader"]:
        """Follow a tenant's changes from behind a number on, which was its head a moment ago."""
        followed = self._tenants.setdefault(tenant, _Tenant(number))
        followed.readers += 1
        try:
            yield Reader(self, followed, number)
        finally:
            followed.readers -= 1
            if not followed.readers:
                self._tenants.pop(tenant, None)

    async def _look(self) -> None:
        known = {tenant: each.head for tenant, each in self._tenants.items()}
        if not known:
            return
        heads = await self._changes.heads(known.keys())
        for tenant in _moved(known, heads):
            changes = await self._changes.since(tenant, known[tenant])
            followed = self._tenants.get(tenant)
            if followed is not None:
                followed.advance([each for each in changes if each.number > followed.head], heads[tenant])


class Reader:
    """Somebody who follows the changes of a tenant; it keeps a cursor, and nothing is kept for it."""

    def __init__(self, news: News, followed: _Tenant, cursor: int) -> None:
        self._news = news
        self._followed = followed
        self.cursor = cursor

    async def next(self, seconds: float) -> Told | None:
        """Return what has changed since; None when nothing has for so long, or nothing is told any more."""
        # Armed before the look: what comes in between is not missed.
        wake = self._followed.wake
        told = self._look()
        if told is None and not self._news.is_shut:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await wake.wait()
            told = self._look()
        return told

    def _look(self) -> Told | None:
        followed = self._followed
        if followed.head <= self.cursor:
            return None
        changes = [each for each in followed.recent if each.number > self.cursor]
        is_whole = bool(changes) and changes[0].number == self.cursor + 1
        self.cursor = followed.head
        return Told(changes if is_whole else None, followed.head)


def _moved(known: Mapping[TenantId, int], heads: Mapping[TenantId, int]) -> Collection[TenantId]:
    return [tenant for tenant, head in known.items() if heads.get(tenant, 0) > head]
