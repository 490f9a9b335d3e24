"""The route by which workers of our own write for their runs (docs/reference/worker-protocol.md)."""

from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from hosting.api.bodies import MAX_INPUT
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of
from hosting.api.openapi import answers, takes
from hosting.domain.remote_batch import Batch, Written
from hosting.services.fleet.remote_runs import RemoteRuns
from hosting.services.fleet.remote_writing import write_batch


@post(
    "/api/sessions/{session_id:str}/units",
    status_code=200,
    request_max_body_size=MAX_INPUT,
    opt=takes(Batch),
    responses=answers(
        "work-session-not-found",
        "session-not-owned",
        "work-session-ended",
        "invalid-request",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def post_units(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
) -> Written:
    """Write events of a run with what changes with them, whole and once."""
    said = await read_report(request, Batch)
    holding = await holder_of(remote.fleet, caller.identity, session_id, said.worker_id)
    return await write_batch(remote, holding, said)
