"""Who follows is told of every change once, and that there were some where nobody can list them any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hosting.adapters.sql.database import open_database
from hosting.domain.scope import TenantId
from hosting.ports.credentials import CredentialChanges
from hosting.services.credentials.news import News

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TENANT = TenantId("a")


@pytest.fixture
async def changes(sqlite_url: str) -> AsyncIterator[CredentialChanges]:
    """The changes of a database, which has none."""
    async with AsyncExitStack() as stack:
        yield (await open_database(sqlite_url, stack, lease_seconds=60)).credential_changes


@asynccontextmanager
async def told(changes: CredentialChanges) -> AsyncIterator[News]:
    """Look for changes when poked, and in an hour."""
    news = News(changes)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(news.run(3600))
        yield news
        running.cancel()


async def test_all_who_follow_are_told_once_and_only_of_what_came_later(changes: CredentialChanges) -> None:
    async with told(changes) as news:
        await changes.announce(TENANT, "before", NOW)
        head = await news.head(TENANT)
        with news.following(TENANT, head) as one, news.following(TENANT, head) as two:
            await changes.announce(TENANT, "first", NOW)
            await changes.announce(TenantId("b"), "elsewhere", NOW)
            news.poke()
            heard = [await reader.next(10) for reader in (one, two)]
            again = await one.next(0)

    assert [[each.kind for each in one.changes or ()] for one in heard if one] == [["first"], ["first"]]
    assert again is None


async def test_what_nobody_can_list_any_more_is_told_as_something(changes: CredentialChanges, sqlite_url: str) -> None:
    async with told(changes) as news:
        with news.following(TENANT, await news.head(TENANT)) as reader:
            for kind in ("lost", "kept"):
                await changes.announce(TENANT, kind, NOW)
            await forget(sqlite_url, "lost")
            news.poke()
            heard = await reader.next(10)
            await changes.announce(TENANT, "next", NOW)
            news.poke()
            then = await reader.next(10)

    assert heard is not None
    assert then is not None
    assert (heard.changes, heard.number) == (None, 2)
    assert [each.kind for each in then.changes or ()] == ["next"]


async def test_who_comes_back_is_told_what_was_missed_as_far_as_it_is_known(
    changes: CredentialChanges, sqlite_url: str
) -> None:
    news = News(changes)
    for kind in ("first", "second", "third"):
        await changes.announce(TENANT, kind, NOW)
    up_to_date, ahead = await news.missed(TENANT, 3, 3), await news.missed(TENANT, 9, 3)
    whole = await news.missed(TENANT, 1, 3)
    await forget(sqlite_url, "second")
    broken = await news.missed(TENANT, 1, 3)

    assert up_to_date is None
    assert whole is not None
    assert [each.kind for each in whole.changes or ()] == ["second", "third"]
    assert ahead is not None
    assert broken is not None
    assert [(each.changes, each.number) for each in (ahead, broken)] == [(None, 3)] * 2


async def test_whoever_follows_is_woken_when_the_server_leaves(changes: CredentialChanges) -> None:
    news = News(changes)
    with news.following(TENANT, 0) as reader:
        waiting = asyncio.create_task(reader.next(60))
        await asyncio.sleep(0)
        news.shut()
        async with asyncio.timeout(10):
            heard = await waiting

    assert heard is None
    assert news.is_shut


async def forget(url: str, kind: str) -> None:
    """Delete a change past the store."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM credential_changes WHERE kind = :kind"), {"kind": kind})
    await engine.dispose()
