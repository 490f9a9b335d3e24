"""What is stored of contents: checked when it is read, and swept away when nobody knows it any more."""

from collections.abc import AsyncIterator

import pytest

from events.ids import IdSource
from hosting.adapters.sql.database import Database
from hosting.domain.content import CHUNK_BYTES, Content, ContentPlace, Room
from hosting.domain.content_errors import ContentDamaged, ContentFull, ContentMissing
from hosting.domain.errors import BranchMissing, SessionMissing, StorageUnavailable
from hosting.domain.media_types import MediaTypes
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.clock import system_clock
from hosting.ports.units import Committed, RemoveBranches, Unit
from hosting.services.content.core import Contents
from hosting.services.content.hand_out import hand_out
from hosting.services.content.receive import receive
from hosting.services.content.sweep import sweep
from tests.content.upload import pieces_of
from tests.harness.raw_store import RawStore
from tests.store.units import add_branch, make_branch, new_branch

SIZE = 5 * CHUNK_BYTES + 7


def contents_of(database: Database, room: Room | None = None) -> Contents:
    """Return the verbs' parts on a database."""
    wide = Room(1 << 40, 1 << 40)
    return Contents(database.contents, IdSource(), system_clock, room or wide, 1 << 40, MediaTypes())


async def test_damaged_and_missing_chunks_are_not_handed_out(database: Database, database_url: str) -> None:
    branch, contents, store = await make_branch(database), contents_of(database), RawStore(database_url)
    place = ContentPlace(LOCAL_TENANT, branch.scope.session_id)
    changes = {
        "other bytes": "UPDATE content_chunks SET checksum = checksum + 1 WHERE content_id = ? AND number = 2",
        "gone": "DELETE FROM content_chunks WHERE content_id = ? AND number = 2",
        "swapped": "UPDATE content_chunks SET number = 2 - number + 10 WHERE content_id = ? AND number = 2",
        "shorter": "UPDATE contents SET size_bytes = size_bytes - 9 WHERE id = ?",
        "another": "UPDATE contents SET sha256 = 'x' WHERE id = ?",
    }

    for what, change in changes.items():
        content = await receive(contents, place, "a", "a/b", pieces_of(SIZE))
        await store.run(change, content.id)
        damaged = (await database.contents.find(LOCAL_TENANT, branch.scope.session_id, [content.id]))[content.id]
        handed = bytearray()
        with pytest.raises(ContentDamaged):
            await _read(contents, damaged, handed)

        assert len(handed) < SIZE, what
        assert bytes(handed) == b"".join([piece async for piece in pieces_of(SIZE)])[: len(handed)], what


async def test_what_is_deleted_while_it_is_read_is_missing_and_not_damaged(database: Database) -> None:
    branch, contents = await make_branch(database), contents_of(database)
    content = await receive(contents, ContentPlace(LOCAL_TENANT, branch.scope.session_id), "a", "a/b", pieces_of(SIZE))
    reading = hand_out(contents.store, content)
    first = await anext(reading)

    await database.contents.delete(LOCAL_TENANT, branch.scope.session_id, content.id)
    await sweep(contents, 0.0)
    with pytest.raises(ContentMissing):
        await anext(reading)

    assert len(first) == CHUNK_BYTES


async def test_an_upload_through_a_branch_that_is_deleted_meanwhile_is_none(database: Database) -> None:
    main, contents = await make_branch(database), contents_of(database)
    west = new_branch(main.scope.session_id, "west")
    await database.events.commit([add_branch(west)])
    place = ContentPlace(LOCAL_TENANT, main.scope.session_id, west.key, west.scope.branch_id)

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in pieces_of(3 << 20):
            yield piece
        gone = Unit(LOCAL_TENANT, main.key, changes=[RemoveBranches(main.scope.session_id, (west.key,), None)])
        assert isinstance((await database.events.commit([gone]))[0], Committed)

    with pytest.raises(BranchMissing):
        await receive(contents, place, "a", "a/b", pieces())
    await sweep(contents, 0.0)

    assert await database.contents.contents(ContentPlace(LOCAL_TENANT, main.scope.session_id)) == []
    assert await database.contents.abandon(0.0) == 0


async def test_what_nobody_knows_any_more_is_swept_away_and_nothing_else(database: Database, database_url: str) -> None:
    branch, contents, store = await make_branch(database), contents_of(database), RawStore(database_url)
    place = ContentPlace(LOCAL_TENANT, branch.scope.session_id, branch.key, branch.scope.branch_id)
    kept, deleted = [await receive(contents, place, "a", "a/b", pieces_of(SIZE)) for _ in range(2)]
    await store.run(
        "INSERT INTO contents SELECT 'half', tenant, session_id, branch_key, name, content_type, 1, NULL, created_at, "
        "touched_at FROM contents WHERE id = ?",
        kept.id,
    )
    await store.run("UPDATE content_chunks SET content_id = 'half' WHERE content_id = ?", deleted.id)

    await sweep(contents, 600.0)
    young = await store.run("SELECT DISTINCT content_id FROM content_chunks ORDER BY content_id")
    await database.contents.delete(LOCAL_TENANT, branch.scope.session_id, deleted.id)
    await sweep(contents, 0.0)
    left = await store.run("SELECT content_id, count(*) FROM content_chunks GROUP BY content_id")

    assert young == sorted([(kept.id,), ("half",)])
    assert left == [(kept.id, 6)]
    assert await database.contents.contents(place) == [kept]


async def test_nothing_is_kept_for_a_session_that_is_not_there_or_of_pieces_that_break_off(database: Database) -> None:
    branch, contents = await make_branch(database), contents_of(database)
    place = ContentPlace(LOCAL_TENANT, branch.scope.session_id)

    async def breaking() -> AsyncIterator[bytes]:
        async for piece in pieces_of(3 << 20):
            yield piece
        raise StorageUnavailable("the rest does not come")

    with pytest.raises(SessionMissing):
        await receive(contents, ContentPlace(TenantId("other"), place.session_id), "a", "a/b", pieces_of(9))
    with pytest.raises(StorageUnavailable):
        await receive(contents, place, "a", "a/b", breaking())
    assert await database.contents.contents(place) == []
    assert await database.contents.abandon(0.0) == 0


async def test_a_tenant_keeps_as_much_as_it_may_in_all_its_sessions(database: Database) -> None:
    sessions = [(await make_branch(database, session)).scope.session_id for session in ("s1", "s2")]
    contents = contents_of(database, Room(session_bytes=100, tenant_bytes=150, session_contents=2))
    first, second = (ContentPlace(LOCAL_TENANT, session) for session in sessions)

    await receive(contents, first, "a", "a/b", pieces_of(90))
    with pytest.raises(ContentFull, match="Your tenant may keep 150 bytes"):
        await receive(contents, second, "a", "a/b", pieces_of(61))
    with pytest.raises(ContentFull, match="'s1' may keep 100 bytes"):
        await receive(contents, first, "a", "a/b", pieces_of(11))
    await receive(contents, first, "a", "a/b", pieces_of(5))
    with pytest.raises(ContentFull, match="'s1' may keep 2 pieces"):
        await receive(contents, first, "a", "a/b", pieces_of(1))


async def _read(contents: Contents, content: Content, into: bytearray) -> None:
    async for piece in hand_out(contents.store, content):
        into += piece
