"""Routes of sessions."""

from typing import Annotated, Any, Final

from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from events.ids import MAIN_BRANCH, SessionId, is_client_id
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.api.views import SessionView
from hosting.domain.errors import InvalidRequest
from hosting.domain.session import Session
from hosting.runtime.delete import delete_session as remove_session
from hosting.runtime.keyed import Keyed
from hosting.runtime.patch import patch_session as merge_metadata
from hosting.runtime.sessions import create_session

_NAME_OF_A_ROUTE: Final = "search"
LISTED: Final = 50
MOST_LISTED: Final = 200
LARGEST_OFFSET: Final = 2**53


class CreateSession(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session that is to be; without an id it gets one."""

    session_id: SessionId | None = None
    metadata: dict[str, Any] | None = None


class UpdateSession(Struct, frozen=True, kw_only=True, rename="camel"):
    """Changes of a session; a name in `metadata` whose value is null goes, all others stay."""

    metadata: dict[str, Any] | None = None


@post(
    "/sessions",
    status_code=201,
    request_max_body_size=MAX_BODY,
    opt=takes(CreateSession),
    responses=answers(
        "invalid-request",
        "unknown-member",
        "session-exists",
        "payload-too-large",
        "unsupported-media-type",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_session(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> Response[SessionView]:
    """Create a session, and in it the branch `main`."""

    async def create(keyed: Keyed[Session] | None) -> Session:
        body = await decode_body(await read_body(request), CreateSession)
        if body.session_id is not None:
            check_id("sessionId", body.session_id)
            check_free(body.session_id)
        return await create_session(caller.runtime, caller.tenant, body.session_id, body.metadata or {}, keyed)

    return await once(
        request, caller, create, lambda session: shown(SessionView.of(session), f"/sessions/{session.id}")
    )


@get("/sessions", responses=answers("invalid-request", "storage-unavailable"))
async def list_sessions(
    caller: NamedDependency[Caller],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_LISTED)] = LISTED,
    offset: Annotated[int, QueryParameter(ge=0, le=LARGEST_OFFSET)] = 0,
) -> list[SessionView]:
    """List sessions, those with the newest activity first."""
    return [SessionView.of(session) for session in await caller.reads.sessions(limit, offset)]


@get("/sessions/{session_id:str}", responses=answers("session-not-found", "storage-unavailable"))
async def get_session(session_id: FromPath[str], caller: NamedDependency[Caller]) -> SessionView:
    """Show a session."""
    return SessionView.of(await caller.session(SessionId(session_id)))


@patch(
    "/sessions/{session_id:str}",
    request_max_body_size=MAX_BODY,
    opt=takes(UpdateSession),
    responses=answers(
        "session-not-found",
        "invalid-request",
        "unknown-member",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def patch_session(
    session_id: FromPath[str], request: Request[Any, Any, Any], caller: NamedDependency[Caller]
) -> SessionView:
    """Merge metadata into a session's; a null removes the name."""
    branch = await caller.branch(SessionId(session_id), MAIN_BRANCH)
    body = await decode_body(await read_body(request), UpdateSession)
    await merge_metadata(caller.runtime, branch, body.metadata or {})
    return SessionView.of(await caller.session(branch.scope.session_id))


@delete(
    "/sessions/{session_id:str}",
    status_code=204,
    responses=answers("session-not-found", "invalid-request", "branch-run-active", "storage-unavailable"),
)
async def delete_session(
    session_id: FromPath[str], caller: NamedDependency[Caller], *, force: FromQuery[bool] = False
) -> None:
    """Delete a session with all its branches; with `force` what runs there is interrupted first."""
    await remove_session(caller.runtime, await caller.session(SessionId(session_id)), force=force)


def check_free(session_id: SessionId) -> None:
    """Refuse the id that would stand where a route's name does (docs/decisions/0012-a-session-is-not-named-search.md).

    Raises:
        InvalidRequest: nobody could ask for that session.
    """
    if session_id == _NAME_OF_A_ROUTE:
        raise InvalidRequest(f"`sessionId` cannot be {_NAME_OF_A_ROUTE!r}: /sessions/{_NAME_OF_A_ROUTE} is a route.")


def check_id(member: str, given: str) -> None:
    """Refuse an id that a client may not choose.

    Raises:
        InvalidRequest: it has another form than 1 to 128 of the unreserved characters.
    """
    if not is_client_id(given):
        raise InvalidRequest(f"`{member}` must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
