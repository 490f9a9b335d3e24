"""The uploaded files of a session, as its runs come by them."""

from hosting.domain.content import content_of, is_content_uri
from hosting.domain.content_errors import ContentGone, ContentMissing, ContentsElsewhere, ContentTooLarge
from hosting.runtime.bench import Bench


async def content_at(bench: Bench, uri: str, most_bytes: int | None) -> bytes:
    """Return the bytes of an uploaded file; see ToolContext.content."""
    if not isinstance(uri, str) or not is_content_uri(uri):
        raise ValueError(f"An uploaded file is named as hpd-content://..., not as {uri!r:.100}.")
    contents, scope, named = bench.runtime.contents, bench.hand.lease.run.scope, content_of(uri)
    if contents is None:
        raise ContentsElsewhere
    if named is None:
        raise ContentGone(uri)
    found = (await contents.find(scope.tenant, scope.session_id, [named])).get(named)
    if found is None:
        raise ContentGone(uri)
    if most_bytes is not None and found.size_bytes > most_bytes:
        raise ContentTooLarge(found.size_bytes, most_bytes)
    try:
        return await contents.read(found)
    except ContentMissing as error:
        raise ContentGone(uri) from error
