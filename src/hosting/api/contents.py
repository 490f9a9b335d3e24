"""Routes of contents: files that clients upload, for messages to refer to.

All contents of a session can be read through each of its branches, since forks keep what messages refer to; the list
of a branch has those that were uploaded through it.
"""

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from events.ids import BranchId, ContentId, SessionId, is_client_id
from hosting.api.caller import Caller
from hosting.api.contents_answer import ContentAnswer, FileResponse, NotModified, asked_range, is_known
from hosting.api.contents_form import read_form
from hosting.api.contents_view import ContentView
from hosting.api.openapi import answers
from hosting.domain.content import Content, ContentPlace
from hosting.domain.content_errors import ContentMissing
from hosting.services.content.core import Contents
from hosting.services.content.hand_out import hand_out
from hosting.services.content.receive import receive

_OF_SESSION = "/sessions/{session_id:str}/content"
_OF_BRANCH = "/sessions/{session_id:str}/branches/{branch_id:str}/content"
_ONE = "/{content_id:str}"

_UPLOAD = (
    "invalid-content-type",
    "no-file-provided",
    "invalid-file-name",
    "invalid-request",
    "content-full",
    "payload-too-large",
    "unsupported-media-type",
    "storage-unavailable",
)
_DOWNLOAD = ("content-not-found", "range-not-satisfiable", "storage-unavailable")
_IN_SESSION = ("session-not-found",)
_IN_BRANCH = ("session-not-found", "branch-not-found")


@post(_OF_BRANCH, status_code=201, request_max_body_size=None, responses=answers(*_IN_BRANCH, *_UPLOAD))
async def post_content(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> Response[ContentView]:
    """Upload a file through a branch: a form (multipart/form-data) with the file in its field `file`."""
    place = await _branch(caller, session_id, branch_id)
    return await _receive(request, contents, place, f"/sessions/{session_id}/branches/{branch_id}/content")


@post(_OF_SESSION, status_code=201, request_max_body_size=None, responses=answers(*_IN_SESSION, *_UPLOAD))
async def post_session_content(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> Response[ContentView]:
    """Upload a file for a session, through none of its branches."""
    place = await _session(caller, session_id)
    return await _receive(request, contents, place, f"/sessions/{session_id}/content")


@get(_OF_BRANCH, responses=answers(*_IN_BRANCH, "storage-unavailable"))
async def list_contents(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> list[ContentView]:
    """List what was uploaded through a branch, the oldest first."""
    return await _listed(contents, await _branch(caller, session_id, branch_id))


@get(_OF_SESSION, responses=answers(*_IN_SESSION, "storage-unavailable"))
async def list_session_contents(
    session_id: FromPath[str], caller: NamedDependency[Caller], contents: NamedDependency[Contents]
) -> list[ContentView]:
    """List what was uploaded to a session, through whichever branch, the oldest first."""
    return await _listed(contents, await _session(caller, session_id))


@get(_OF_BRANCH + _ONE, media_type="application/octet-stream", responses=answers(*_IN_BRANCH, *_DOWNLOAD))
async def get_content(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    content_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> FileResponse:
    """Download a content of a branch's session, or a range of it."""
    return await _send(request, contents, await _branch(caller, session_id, branch_id), content_id)


@get(_OF_SESSION + _ONE, media_type="application/octet-stream", responses=answers(*_IN_SESSION, *_DOWNLOAD))
async def get_session_content(
    session_id: FromPath[str],
    content_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> FileResponse:
    """Download a content of a session, or a range of it."""
    return await _send(request, contents, await _session(caller, session_id), content_id)


@delete(_OF_BRANCH + _ONE, status_code=204, responses=answers(*_IN_BRANCH, "content-not-found", "storage-unavailable"))
async def delete_content(
    session_id: FromPath[str],
    branch_id: FromPath[str],
    content_id: FromPath[str],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> None:
    """Delete a content of a branch's session; messages that refer to it stay, and are told without it."""
    await _delete(contents, await _branch(caller, session_id, branch_id), content_id)


@delete(
    _OF_SESSION + _ONE, status_code=204, responses=answers(*_IN_SESSION, "content-not-found", "storage-unavailable")
)
async def delete_session_content(
    session_id: FromPath[str],
    content_id: FromPath[str],
    caller: NamedDependency[Caller],
    contents: NamedDependency[Contents],
) -> None:
    """Delete a content of a session; messages that refer to it stay, and are told without it."""
    await _delete(contents, await _session(caller, session_id), content_id)


ROUTES = (
    post_content,
    post_session_content,
    list_contents,
    list_session_contents,
    get_content,
    get_session_content,
    delete_content,
    delete_session_content,
)


async def _branch(caller: Caller, session_id: str, branch_id: str) -> ContentPlace:
    branch = await caller.branch(SessionId(session_id), BranchId(branch_id))
    return ContentPlace(caller.tenant, branch.scope.session_id, branch.key, branch.scope.branch_id)


async def _session(caller: Caller, session_id: str) -> ContentPlace:
    return ContentPlace(caller.tenant, (await caller.session(SessionId(session_id))).id)


async def _receive(
    request: Request[Any, Any, Any], contents: Contents, place: ContentPlace, path: str
) -> Response[ContentView]:
    file = await read_form(request, contents.largest_bytes, contents.types)
    content = await receive(contents, place, file.name, file.content_type, file.pieces, most_bytes=file.most_bytes)
    return Response(ContentView.of(content), headers={"Location": f"{path}/{content.id}"})


async def _listed(contents: Contents, place: ContentPlace) -> list[ContentView]:
    return [ContentView.of(content) for content in await contents.store.contents(place)]


async def _send(
    request: Request[Any, Any, Any], contents: Contents, place: ContentPlace, content_id: str
) -> FileResponse:
    content = await _content(contents, place, content_id)
    if is_known(request, content):
        return NotModified(content)
    span = asked_range(request, content)
    pieces = hand_out(contents.store, content, span)
    # The first piece is read before the headers go out, so that a store that cannot answer is still a 503.
    return ContentAnswer(content, span, await anext(pieces), pieces)


async def _content(contents: Contents, place: ContentPlace, content_id: str) -> Content:
    wanted = ContentId(content_id)
    found = await contents.store.find(place.tenant, place.session_id, [wanted]) if is_client_id(content_id) else {}
    if wanted not in found:
        raise ContentMissing(content_id)
    return found[wanted]


async def _delete(contents: Contents, place: ContentPlace, content_id: str) -> None:
    wanted = ContentId(content_id)
    if not is_client_id(content_id) or not await contents.store.delete(place.tenant, place.session_id, wanted):
        raise ContentMissing(content_id)
