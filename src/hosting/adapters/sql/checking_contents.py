"""Whether uploads are whole: every piece as it was stored, none missing, and as many bytes as it says."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from hosting.adapters.sql.chunk_checksum import chunk_checksum
from hosting.adapters.sql.content_tables import content_chunks, contents
from hosting.adapters.sql.finding import Finding, FindingKind, Findings

_PIECES_AT_ONCE: Final = 16
_BEFORE_ALL: Final = -1

_NEXT: Final = (
    select(contents)
    .where(contents.c.id > bindparam("behind"), contents.c.sha256.is_not(None))
    .order_by(contents.c.id)
    .limit(1)
)
_PIECES: Final = (
    select(content_chunks)
    .where(content_chunks.c.content_id == bindparam("content"), content_chunks.c.number > bindparam("after"))
    .order_by(content_chunks.c.number)
    .limit(_PIECES_AT_ONCE)
)


def check_contents(connection: Connection) -> Findings:
    """Tell what is wrong with each upload that has come whole, one snapshot of the database after the other."""
    behind = ""
    while True:
        with connection.begin():
            content = connection.execute(_NEXT, {"behind": behind}).one_or_none()
            if content is None:
                return
            behind = content.id
            place = f"{content.tenant}/{content.session_id}/{content.id}"
            for wrong in _wrong(connection, content):
                yield Finding(FindingKind.UPLOAD, place, wrong)


def _wrong(connection: Connection, content: Row[Any]) -> Iterator[str]:
    following = size = 0
    for piece in _pieces(connection, content.id):
        if piece.number > following:
            yield f"pieces {following} to {piece.number - 1} are missing"
        if piece.checksum != chunk_checksum(content.id, piece.number, piece.data):
            yield f"piece {piece.number} does not fit its checksum"
        following, size = piece.number + 1, size + len(piece.data)
    if size != content.size_bytes:
        yield f"it has {size} bytes, and says {content.size_bytes}"


def _pieces(connection: Connection, content_id: str) -> Iterator[Row[Any]]:
    after = _BEFORE_ALL
    while found := connection.execute(_PIECES, {"content": content_id, "after": after}).all():
        yield from found
        after = found[-1].number
