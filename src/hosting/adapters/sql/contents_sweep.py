"""What is left of contents that nobody can know any more: found, and removed piece by piece."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, select

from events.ids import ContentId
from hosting.adapters.sql.content_tables import content_chunks, contents
from hosting.adapters.sql.dialect import database_now

_ABANDONED: Final = delete(contents).where(
    contents.c.sha256.is_(None), contents.c.touched_at <= database_now() - bindparam("silent")
)
_IS_KNOWN: Final = exists().where(contents.c.id == content_chunks.c.content_id)
# By their first chunks, which go last.
_LOOSE: Final = (
    select(content_chunks.c.content_id)
    .where(content_chunks.c.number == 0, ~_IS_KNOWN)
    .order_by(content_chunks.c.content_id)
    .limit(bindparam("most"))
)
_OF_CONTENT: Final = content_chunks.c.content_id == bindparam("content")
_LAST: Final = (
    select(content_chunks.c.number)
    .where(_OF_CONTENT, ~_IS_KNOWN)
    .order_by(content_chunks.c.number.desc())
    .limit(bindparam("most"))
)
_DROP: Final = delete(content_chunks).where(
    _OF_CONTENT, content_chunks.c.number.in_(bindparam("numbers", expanding=True))
)


def abandon(connection: Connection, silent_seconds: float) -> int:
    """See ContentStore.abandon."""
    return connection.execute(_ABANDONED, {"silent": silent_seconds}).rowcount


def loose(connection: Connection, most: int) -> Sequence[ContentId]:
    """See ContentStore.loose."""
    return [ContentId(found) for found in connection.scalars(_LOOSE, {"most": most})]


def drop(connection: Connection, content_id: ContentId, most: int) -> int:
    """See ContentStore.drop."""
    last = list(connection.scalars(_LAST, {"content": content_id, "most": most}))
    if last:
        connection.execute(_DROP, {"content": content_id, "numbers": last})
    return len(last)
