"""Handing a content out, chunk by chunk, each looked at before it goes."""

import hashlib
from collections.abc import AsyncGenerator

from hosting.domain.content import CHUNK_BYTES, Content
from hosting.domain.content_errors import ContentDamaged
from hosting.domain.content_range import ContentRange
from hosting.ports.contents import ContentStore


async def hand_out(store: ContentStore, content: Content, wanted: ContentRange | None = None) -> AsyncGenerator[bytes]:
    """Yield the bytes of a content, or a range of them; the last piece of all only when the whole is what was stored.

    Raises:
        ContentMissing: the content has been deleted meanwhile; what was yielded is right.
        ContentDamaged: chunks are not there, or are not those that were stored; what was yielded is right.
        StorageUnavailable: they cannot be read now.
    """
    span = wanted or ContentRange(0, content.size_bytes - 1)
    is_whole, read = span.size_bytes == content.size_bytes, hashlib.sha256()
    for number in range(span.first // CHUNK_BYTES, span.last // CHUNK_BYTES + 1):
        chunk = await store.chunk(content.id, number)
        start = number * CHUNK_BYTES
        _check_size(content, number, chunk)
        if is_whole:
            read.update(chunk)
            if number == content.chunks - 1 and read.hexdigest() != content.sha256:
                raise ContentDamaged(content.id, number)
        yield chunk[max(0, span.first - start) : span.last + 1 - start]


def _check_size(content: Content, number: int, chunk: bytes) -> None:
    if len(chunk) != min(CHUNK_BYTES, content.size_bytes - number * CHUNK_BYTES):
        raise ContentDamaged(content.id, number)
