"""The route that searches sessions by their metadata."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Struct

from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.openapi import answers, takes
from hosting.api.sessions import LARGEST_OFFSET, LISTED, MOST_LISTED
from hosting.api.views import SessionView


class SearchSessions(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the sessions that are looked for have in their metadata: all of these names, with these values as text."""

    metadata: dict[str, Any] | None = None
    offset: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_OFFSET)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = LISTED


@post(
    "/sessions/search",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(SearchSessions),
    responses=answers(
        "invalid-request", "unknown-member", "payload-too-large", "unsupported-media-type", "storage-unavailable"
    ),
)
async def search_sessions(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> list[SessionView]:
    """List sessions by their metadata, those with the newest activity first; a value and its text are the same."""
    body = await decode_body(await read_body(request), SearchSessions)
    found = await caller.reads.search(body.metadata or {}, body.limit, body.offset)
    return [SessionView.of(session) for session in found]
