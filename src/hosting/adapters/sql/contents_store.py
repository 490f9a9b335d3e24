"""Contents on SQL: a row for each, and rows of a quarter of a megabyte for its bytes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, select, text, update

from events.ids import BranchId, ContentId, SessionId
from hosting.adapters.sql.chunk_checksum import chunk_checksum
from hosting.adapters.sql.content_tables import content_chunks, contents
from hosting.adapters.sql.contents_sweep import abandon, drop, loose
from hosting.adapters.sql.dialect import POSTGRESQL, database_now, slices
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import branches, sessions
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import CommitUnknown, Transactor
from hosting.domain.content import Arrival, Content, ContentPlace, Room
from hosting.domain.content_errors import ContentDamaged, ContentFull, ContentMissing
from hosting.domain.errors import BranchMissing, SessionMissing, StorageUnavailable
from hosting.domain.scope import TenantId
from hosting.ports.contents import Part

_AHEAD_BYTES: Final = 16 << 20
"""How much room is kept free at once for a content that comes: to look how much there is takes longer than to store."""

_UNKNOWN: Final = 1 << 62
_AROUND_BYTES: Final = 64 << 10
"""By how much less than is said beforehand a content may have."""

_WHOLE: Final = contents.c.sha256.is_not(None)
_IN_SESSION: Final = contents.c.tenant == bindparam("owner"), contents.c.session_id == bindparam("session")
_LISTED: Final = select(contents).where(*_IN_SESSION, _WHOLE).order_by(contents.c.created_at, contents.c.id)
_OF_BRANCH: Final = _LISTED.where(contents.c.branch_key == bindparam("branch"))
_FOUND: Final = select(contents).where(*_IN_SESSION, _WHOLE, contents.c.id.in_(bindparam("wanted", expanding=True)))
_CHUNK: Final = select(content_chunks.c.data, content_chunks.c.checksum).where(
    content_chunks.c.content_id == bindparam("content"), content_chunks.c.number == bindparam("place")
)
_IS_WHOLE: Final = select(contents.c.id).where(contents.c.id == bindparam("content"), _WHOLE)
_DELETE: Final = delete(contents).where(*_IN_SESSION, contents.c.id == bindparam("content"), _WHOLE)
_DISCARD: Final = delete(contents).where(contents.c.id == bindparam("content"), contents.c.sha256.is_(None))
_GROW: Final = (
    update(contents)
    .where(contents.c.id == bindparam("content"), contents.c.sha256.is_(None))
    .values(size_bytes=bindparam("size"), sha256=bindparam("hash"), touched_at=database_now())
)
_IS_MINE: Final = contents.c.session_id == bindparam("session")
# Of a whole tenant at once: whoever asks has locked the tenant, and no other can come in between.
_KEPT: Final = select(
    func.coalesce(func.sum(contents.c.size_bytes), 0).label("of_tenant"),
    func.coalesce(func.sum(case((_IS_MINE, contents.c.size_bytes), else_=0)), 0).label("of_session"),
    func.coalesce(func.sum(case((_IS_MINE, 1), else_=0)), 0).label("in_session"),
).where(contents.c.tenant == bindparam("owner"), contents.c.id != bindparam("content"))
_LOCK_TENANT: Final = text("SELECT pg_advisory_xact_lock(7235410, hashtext(:owner))")
_BRANCH: Final = (
    select(branches.c.key).where(branches.c.key == bindparam("branch")).with_for_update(read=True, key_share=True)
)
_SESSION: Final = (
    select(sessions.c.id)
    .where(sessions.c.tenant == bindparam("owner"), sessions.c.id == bindparam("session"))
    .with_for_update(read=True, key_share=True)
)


class SqlContents:
    """See the door, ContentStore."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def put(self, arrival: Arrival, part: Part, room: Room) -> int:
        """See ContentStore.put."""
        try:
            return await self._transactor.run(lambda connection: _put(connection, arrival, part, room))
        except CommitUnknown:
            # Only of the last part can anybody tell: with it the content is whole, or is not.
            if part.sha256 is None or not await rows(self._reading, _IS_WHOLE, content=arrival.id):
                raise
            return part.total_bytes

    async def discard(self, content_id: ContentId) -> None:
        """See ContentStore.discard."""
        await self._transactor.run(lambda connection: connection.execute(_DISCARD, {"content": content_id}))

    async def contents(self, place: ContentPlace) -> list[Content]:
        """See ContentStore.contents."""
        given: dict[str, object] = {"owner": place.tenant, "session": place.session_id}
        if place.branch is None:
            return [_to_content(row) for row in await rows(self._reading, _LISTED, **given)]
        return [_to_content(row) for row in await rows(self._reading, _OF_BRANCH, **given, branch=place.branch)]

    async def find(
        self, tenant: TenantId, session_id: SessionId, ids: Collection[ContentId]
    ) -> Mapping[ContentId, Content]:
        """See ContentStore.find."""
        found: dict[ContentId, Content] = {}
        for wanted in slices(sorted(set(ids))):
            given = {"owner": tenant, "session": session_id, "wanted": wanted}
            found |= {ContentId(row.id): _to_content(row) for row in await rows(self._reading, _FOUND, **given)}
        return found

    async def chunk(self, content_id: ContentId, number: int) -> bytes:
        """See ContentStore.chunk."""
        found = await rows(self._reading, _CHUNK, content=content_id, place=number)
        if not found and not await rows(self._reading, _IS_WHOLE, content=content_id):
            raise ContentMissing(content_id)
        if not found or found[0].checksum != chunk_checksum(content_id, number, found[0].data):
            raise ContentDamaged(content_id, number)
        data: bytes = found[0].data
        return data

    async def delete(self, tenant: TenantId, session_id: SessionId, content_id: ContentId) -> bool:
        """See ContentStore.delete."""
        given = {"owner": tenant, "session": session_id, "content": content_id}
        return await self._transactor.run(lambda connection: connection.execute(_DELETE, given).rowcount > 0)

    async def abandon(self, silent_seconds: float) -> int:
        """See ContentStore.abandon."""
        return await self._transactor.run(lambda connection: abandon(connection, silent_seconds))

    async def loose(self, most: int) -> Sequence[ContentId]:
        """See ContentStore.loose."""
        return await self._reading.run(lambda connection: loose(connection, most))

    async def drop(self, content_id: ContentId, most: int) -> int:
        """See ContentStore.drop."""
        return await self._transactor.run(lambda connection: drop(connection, content_id, most))


def _put(connection: Connection, arrival: Arrival, part: Part, room: Room) -> int:
    if part.first == 0 or part.sha256 is not None:
        _look(connection, arrival.place)
    kept_free = part.kept_free
    if part.total_bytes > kept_free:
        kept_free = _make_room(connection, arrival, part, room)
    size = kept_free if part.sha256 is None else part.total_bytes
    if part.first == 0:
        connection.execute(insert(contents).values(_row(arrival, size, part.sha256)))
    else:
        given = {"content": arrival.id, "size": size, "hash": part.sha256}
        if connection.execute(_GROW, given).rowcount == 0:
            # The session has been deleted meanwhile, or nothing came for so long that this was taken for forgotten.
            raise _gone(connection, arrival)
    connection.execute(insert(content_chunks), [_chunk_row(arrival, part, place) for place in range(len(part.chunks))])
    return kept_free


def _look(connection: Connection, place: ContentPlace) -> None:
    # The branch before the session, as all others lock them.
    if place.branch is not None and connection.scalar(_BRANCH, {"branch": place.branch}) is None:
        raise BranchMissing(place.session_id, place.branch_id or BranchId(""))
    if connection.scalar(_SESSION, {"owner": place.tenant, "session": place.session_id}) is None:
        raise SessionMissing(place.session_id)


def _gone(connection: Connection, arrival: Arrival) -> SessionMissing | StorageUnavailable:
    place = arrival.place
    if connection.scalar(_SESSION, {"owner": place.tenant, "session": place.session_id}) is None:
        return SessionMissing(place.session_id)
    return StorageUnavailable("what had come of an upload was forgotten, since nothing came for too long")


def _make_room(connection: Connection, arrival: Arrival, part: Part, room: Room) -> int:
    """Return for how many bytes there is room: for some more than have come, or for all that there is."""
    place = arrival.place
    if connection.dialect.name == POSTGRESQL:
        # Two that look at once would both find the room that is there for one.
        connection.execute(_LOCK_TENANT, {"owner": place.tenant})
    given = {"owner": place.tenant, "session": place.session_id, "content": arrival.id}
    kept = connection.execute(_KEPT, given).one()
    free = {
        f"Session {place.session_id!r}": (room.session_bytes, room.session_bytes - int(kept.of_session)),
        "Your tenant": (room.tenant_bytes, room.tenant_bytes - int(kept.of_tenant)),
    }
    wanted = max(part.total_bytes, (arrival.most_bytes or 0) - _AROUND_BYTES)
    for whose, (most, left) in free.items():
        if wanted > left:
            raise ContentFull(whose, f"{most} bytes")
    if int(kept.in_session) >= room.session_contents:
        raise ContentFull(f"Session {place.session_id!r}", f"{room.session_contents} pieces")
    ahead = min(part.total_bytes + _AHEAD_BYTES, arrival.most_bytes or _UNKNOWN)
    return max(part.total_bytes, min(ahead, *(left for _, left in free.values())))


def _row(arrival: Arrival, size: int, sha256: str | None) -> dict[str, object]:
    return {
        "id": arrival.id,
        "tenant": arrival.place.tenant,
        "session_id": arrival.place.session_id,
        "branch_key": arrival.place.branch,
        "name": arrival.name,
        "content_type": arrival.content_type,
        "size_bytes": size,
        "sha256": sha256,
        "created_at": to_ticks(arrival.created_at),
        "touched_at": database_now(),
    }


def _chunk_row(arrival: Arrival, part: Part, place: int) -> dict[str, object]:
    number, data = part.first + place, part.chunks[place]
    return {
        "content_id": arrival.id,
        "number": number,
        "tenant": arrival.place.tenant,
        "data": data,
        "checksum": chunk_checksum(arrival.id, number, data),
    }


def _to_content(row: Row[Any]) -> Content:
    return Content(
        id=ContentId(row.id),
        session_id=SessionId(row.session_id),
        name=row.name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        created_at=from_ticks(row.created_at),
    )
