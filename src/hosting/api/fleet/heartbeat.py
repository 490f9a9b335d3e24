"""The route that workers show by that they are there."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report, report_text
from hosting.api.fleet.members import worker_named
from hosting.api.fleet.saying import ALL_ROUTED, Count, Names, Status, bearer_of, echoed, kept
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.domain.host_status import HostStatus
from hosting.domain.mutation import Mutation
from hosting.domain.worker import ACTIVE, Heartbeat
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.heartbeat import take_heartbeat

_MutationId = Annotated[str, Meta(max_length=200)]
_AtOnce = Meta(max_length=1000)


class LoadSaid(Struct, frozen=True, omit_defaults=True):
    """How busy a host is: older workers say a load average and a part of 1, newer ones parts of 100."""

    cpu: float | None = None
    memory: float | None = None


class FailureSaid(Struct, frozen=True):
    """Why a mutation came to nothing."""

    id: _MutationId
    error: str | None = None


class HeartbeatReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker says of itself now; `activeSessions` is another name for `activeCount`."""

    active_count: Count | None = None
    active_sessions: Count | None = None
    max_sessions: Count | None = None
    status: Status | None = None
    load: LoadSaid | None = None
    enabled_project_ids: Names | None = None
    project_admission_mode: str | None = None
    applied_mutations: Annotated[tuple[_MutationId, ...], _AtOnce] | None = None
    mutation_failures: Annotated[tuple[FailureSaid, ...], _AtOnce] | None = None
    session_shim: Raw = Raw()

    def heartbeat(self, body: bytes, shown: str | None) -> Heartbeat:
        """Return what the fleet takes of it; `shown` is what the request has shown, which is not kept.

        Raises:
            InvalidRequest: it does not say how many sessions the worker works on.
            ApiError: it is too large.
        """
        active = self.active_sessions if self.active_count is None else self.active_count
        if active is None:
            raise InvalidRequest("`activeCount` is missing - at `$.activeCount`.")
        return Heartbeat(
            active_count=active,
            status=self.status or ACTIVE,
            load=None if self.load is None else _members(self.load),
            # 0 is what those say who do not know it.
            capacity=self.max_sessions or None,
            projects=() if self.project_admission_mode == ALL_ROUTED else self.enabled_project_ids or None,
            raw=kept(body, shown),
        )

    @property
    def results(self) -> Mapping[str, str | None]:
        """What became of mutations, by their ids."""
        failed = {failure.id: failure.error or "" for failure in self.mutation_failures or ()}
        return dict.fromkeys(self.applied_mutations or ()) | failed


class MutationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that a worker is to do to its host."""

    id: str
    op: str
    params: dict[str, Any]
    requested_at: str
    requested_by: str

    @classmethod
    def of(cls, mutation: Mutation) -> "MutationView":
        """Show one."""
        return cls(
            id=mutation.id,
            op=mutation.op,
            params=mutation.params,
            requested_at=timestamp_text(mutation.requested_at),
            requested_by=mutation.requested_by,
        )


class HeartbeatView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a worker hears; what an operator has not asked for is not there."""

    acknowledged: bool = True
    server_time: str
    pending_work_count: int
    host_status: HostStatus | UnsetType = UNSET
    pending_mutations: list[MutationView] | UnsetType = UNSET
    session_shim: Any | UnsetType = UNSET


@post(
    "/api/workers/{worker_id:str}/heartbeat",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(HeartbeatReport),
    responses=answers(
        "worker-not-found", "invalid-request", "payload-too-large", "unsupported-media-type", "storage-unavailable"
    ),
)
async def beat(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> HeartbeatView:
    """Take a worker's sign of life, which prolongs its hold on all that it works on."""
    worker = await worker_named(fleet, caller.identity, worker_id)
    said = await read_report(request, HeartbeatReport)
    heard = await take_heartbeat(
        fleet, worker, said.heartbeat(await report_text(request), bearer_of(request)), said.results
    )
    return HeartbeatView(
        server_time=timestamp_text(heard.at),
        pending_work_count=heard.pending_work,
        host_status=worker.host_status or UNSET,
        pending_mutations=[MutationView.of(each) for each in heard.mutations] or UNSET,
        session_shim=echoed(said.session_shim),
    )


def _members(load: LoadSaid) -> dict[str, Any]:
    return {name: value for name in load.__struct_fields__ if (value := getattr(load, name)) is not None}
