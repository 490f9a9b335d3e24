"""Routes by which who runs workers takes their environment maps, and hears when to take them anew."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from events.ids import SessionId
from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.credential_feed import CredentialFeed
from hosting.api.fleet.holders import session_named
from hosting.api.openapi import answers, takes
from hosting.domain.admission import Forbidden
from hosting.domain.credential import DEFAULT_ENVIRONMENT, LONGEST_LABEL, Place
from hosting.domain.errors import InvalidRequest, SessionMissing
from hosting.domain.identity import CallerKind
from hosting.domain.work_errors import WorkItemMissing
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.rotation import announce_rotation
from hosting.services.credentials.snapshot import asked_layer, check_tenant, refusals_noted, take_snapshot
from hosting.services.fleet.core import Fleet

_Label = Annotated[str, Meta(min_length=1, max_length=LONGEST_LABEL)]
_Text = Annotated[str, Meta(max_length=LONGEST_LABEL)]
_REFUSALS: Final = ("forbidden", "no-sealing-key", "storage-unavailable")
_OF_BODIES: Final = ("invalid-request", "payload-too-large", "unsupported-media-type")


class SnapshotWanted(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an environment map is for: a session, a project, or a session of a project; what is empty is not said."""

    org_id: Annotated[str, Meta(min_length=1)]
    session_id: str | None = None
    project_id: _Text | None = None
    env_name: _Text | None = None


class SnapshotView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An environment map, and until when it is good unless a change is told before."""

    env: dict[str, str]
    refresh_until: str

    def __repr__(self) -> str:
        """Show the time alone."""
        return f"SnapshotView(refresh_until={self.refresh_until!r})"


class RotationWanted(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was changed elsewhere, in a word of one's own."""

    org_id: Annotated[str, Meta(min_length=1)]
    kind: _Label


class RotatedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """That it was told, and how many sessions are worked on that it concerns."""

    ok: bool = True
    kind: str
    session_count: int
    rotated_at: str


@post(
    "/api/daemon/credentials/snapshot",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(SnapshotWanted),
    cache_control=CacheControlHeader(no_store=True),
    responses=answers("work-session-not-found", "credential-unreadable", *_OF_BODIES, *_REFUSALS),
)
async def post_snapshot(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
    credentials: NamedDependency[Credentials],
) -> SnapshotView:
    """Take the environment map of a session or project; only a worker's key opens this, no token does."""
    with refusals_noted(credentials, caller.identity):
        _check_kind(caller)
    said = await read_report(request, SnapshotWanted)
    check_tenant(credentials, caller.identity, said.org_id)
    session, project, environment = (
        said.session_id or None,
        said.project_id or None,
        said.env_name or DEFAULT_ENVIRONMENT,
    )
    with refusals_noted(credentials, caller.identity, asked_layer(project, environment, session)):
        if session is None and project is None:
            raise InvalidRequest("`sessionId` or `projectId` must be there - at `$`.")
        whose = await _whose(caller, fleet, session, project)
        place = Place(caller.tenant, whose.project, environment, whose.session)
        taken = await take_snapshot(credentials, caller.identity, place)
    env = {name: secret.reveal() for name, secret in taken.env.items()}
    return SnapshotView(env=env, refresh_until=timestamp_text(taken.refresh_until))


@post(
    "/api/daemon/credentials/rotate",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(RotationWanted),
    responses=answers(*_OF_BODIES, *_REFUSALS),
)
async def post_rotate(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], credentials: NamedDependency[Credentials]
) -> RotatedView:
    """Tell all who follow that something was changed, so that they take their environment maps anew."""
    said = await read_report(request, RotationWanted)
    check_tenant(credentials, caller.identity, said.org_id)
    credentials.check_key()
    told = await announce_rotation(credentials, caller.identity, said.kind)
    return RotatedView(kind=told.kind, session_count=told.sessions, rotated_at=timestamp_text(told.at))


@get(
    "/api/daemon/credentials/rotate-stream",
    media_type="text/event-stream",
    responses=answers("work-session-not-found", "too-many-streams", *_REFUSALS),
)
async def get_rotate_stream(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
    credentials: NamedDependency[Credentials],
    session_id: Annotated[
        str | None, QueryParameter(name="sessionId", description="A session, as workers or users of agents name it.")
    ] = None,
    project_id: Annotated[
        str | None,
        QueryParameter(name="projectId", max_length=LONGEST_LABEL, description="Its project, if it does not say so."),
    ] = None,
    env_name: Annotated[
        str | None,
        QueryParameter(name="envName", max_length=LONGEST_LABEL, description="The one environment to hear of."),
    ] = None,
) -> CredentialFeed:
    """Follow what changes among the credentials of a session; the events say names, and never a value."""
    _check_kind(caller)
    credentials.check_key()
    if not session_id:
        raise InvalidRequest("The parameter `sessionId` must say which session to follow.")
    whose = await _whose(caller, fleet, session_id, project_id or None)
    place = Place(caller.tenant, whose.project, env_name or DEFAULT_ENVIRONMENT, whose.session)
    head = await credentials.news.head(caller.tenant)
    asked = request.headers.get("last-event-id") or None
    return CredentialFeed(
        credentials.news, request.app.state.live, session_id, place, environment=env_name, head=head, asked=asked
    )


@dataclass(frozen=True, slots=True)
class _Whose:
    session: SessionId | None
    project: str | None


def _check_kind(caller: Caller) -> None:
    if caller.identity.kind is not CallerKind.KEY:
        raise Forbidden("This takes a worker's own key, and neither a token nor the key that workers share.")


async def _whose(caller: Caller, fleet: Fleet, session_id: str | None, project: str | None) -> _Whose:
    """Return whose credentials are asked for, as far as the caller may ask.

    Raises:
        Forbidden: it names another project than its key is for.
        WorkItemMissing: there is no such session, or it is one of another project.
        InvalidRequest: it names a session, and another project than that one's.
    """
    own = caller.identity.project
    if own is not None and project not in {None, own}:
        raise Forbidden("This key is for another project.")
    if session_id is None:
        return _Whose(None, project)
    try:
        item = await session_named(fleet, caller.identity, session_id)
    except WorkItemMissing:
        return _Whose(await _native(caller, session_id), project)
    of_item = item.terms.project
    if own is not None and of_item is None and not item.state.is_held:
        # Only while a worker of its project has it: afterwards it would be open to the keys of all projects.
        raise WorkItemMissing
    if project is not None and of_item not in {None, project}:
        raise InvalidRequest("The session is another project's - at `$.projectId`.")
    return _Whose(item.scope.session_id, of_item or own or project)


async def _native(caller: Caller, session_id: str) -> SessionId:
    """Return a session that is named as users of agents know it: it has no project, and no key of one opens it.

    Raises:
        WorkItemMissing: there is none.
    """
    if caller.identity.project is not None:
        raise WorkItemMissing
    try:
        return (await caller.session(SessionId(session_id))).id
    except SessionMissing as error:
        raise WorkItemMissing from error
