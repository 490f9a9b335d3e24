"""The route by which a worker of our own takes the environment map of a run that it has."""

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from events.ids import is_name
from events.serializer import timestamp_text
from hosting.api.caller import Caller
from hosting.api.fleet.credentials import SnapshotView
from hosting.api.fleet.holders import holder_of
from hosting.api.openapi import answers
from hosting.api.parameters import check_parameters
from hosting.domain.admission import Forbidden
from hosting.domain.credential import DEFAULT_ENVIRONMENT, LONGEST_LABEL, Place
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.snapshot import asked_layer, refusals_noted, take_snapshot
from hosting.services.fleet.remote_runs import RemoteRuns

_SHOWN: Final = frozenset({CallerKind.WORKER, CallerKind.KEY})


@get(
    "/api/sessions/{session_id:str}/credentials",
    cache_control=CacheControlHeader(no_store=True),
    responses=answers(
        "work-session-not-found",
        "session-not-owned",
        "work-session-ended",
        "forbidden",
        "invalid-request",
        "no-sealing-key",
        "credential-unreadable",
        "storage-unavailable",
    ),
)
async def get_run_credentials(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    credentials: NamedDependency[Credentials],
    environment: Annotated[str, QueryParameter(min_length=1, max_length=LONGEST_LABEL)] = DEFAULT_ENVIRONMENT,
    worker: FromQuery[str | None] = None,
) -> SnapshotView:
    """Return what counts where a session's run is: for whom the session is, as long as it is."""
    asked = asked_layer(None, environment, session_id)
    with refusals_noted(credentials, caller.identity, asked):
        if caller.identity.kind not in _SHOWN:
            raise Forbidden("This takes a worker's token or key; the key that workers share opens no credentials.")
        item = await remote.item(await holder_of(remote.fleet, caller.identity, session_id, worker))
        check_parameters(request, "environment", "worker")
        if not is_name(environment):
            raise InvalidRequest("The parameter `environment` has a sign in it that cannot be stored.")
        project = item.terms.project or caller.identity.project
        place = Place(caller.tenant, project, environment, item.scope.session_id)
        taken = await take_snapshot(credentials, caller.identity, place)
    env = {name: secret.reveal() for name, secret in taken.env.items()}
    return SnapshotView(env=env, refresh_until=timestamp_text(taken.refresh_until))


ROUTES: Final = (get_run_credentials,)
