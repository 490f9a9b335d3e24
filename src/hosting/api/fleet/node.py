"""Routes by which workers of our own take runs and read of them (docs/reference/worker-protocol.md)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Raw, Struct

from events.ids import is_client_id, is_name
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of
from hosting.api.fleet.members import worker_named
from hosting.api.openapi import answers, takes
from hosting.domain.errors import InvalidRequest
from hosting.domain.remote_run import KnownMessage, KnownPast, KnownQuestion, Seen, TakenRun, Watched
from hosting.services.fleet import remote_reads
from hosting.services.fleet.remote_runs import RemoteRuns

_MOST: Final = 1000
_OF_A_SESSION: Final = ("work-session-not-found", "session-not-owned", "work-session-ended", "storage-unavailable")


class TakeBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who takes a session."""

    worker_id: str | None = None


class WatchBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """The sessions that a worker works on."""

    sessions: Annotated[list[Watched], Meta(max_length=_MOST)] = []


class HistoryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A conversation, the oldest message first."""

    messages: list[KnownMessage]


class StateView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is kept, by name."""

    values: dict[str, Raw]


class OutcomeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a question was asked, and how it was settled; None while it is open."""

    was_asked: bool
    settled: KnownQuestion | None


class EventLines(Stream):
    """Events as the log has them, each on a line of its own."""


@post(
    "/api/sessions/{session_id:str}/take",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(TakeBody),
    responses=answers(*_OF_A_SESSION, "invalid-request", "payload-too-large", "unsupported-media-type"),
)
async def post_take(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
) -> TakenRun:
    """Begin with a session that a poll has brought, or go on with it; what was written before is written by now."""
    said = await read_report(request, TakeBody)
    claim, batch = await remote.take(await holder_of(remote.fleet, caller.identity, session_id, said.worker_id))
    return remote_reads.taken(remote.fleet, claim, batch)


@get("/api/sessions/{session_id:str}/past", responses=answers(*_OF_A_SESSION, "invalid-request"))
async def get_past(
    session_id: FromPath[str],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    worker: FromQuery[str | None] = None,
) -> KnownPast:
    """Return what a session's run had done before it was taken."""
    return await remote_reads.past_of(remote, await holder_of(remote.fleet, caller.identity, session_id, worker))


@get("/api/sessions/{session_id:str}/log", responses=answers(*_OF_A_SESSION, "invalid-request"))
async def get_run_log(
    session_id: FromPath[str],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    worker: FromQuery[str | None] = None,
) -> EventLines:
    """Return the events of a session's run, one a line."""
    item = await remote.item(await holder_of(remote.fleet, caller.identity, session_id, worker))

    async def lines() -> AsyncIterator[bytes]:
        async for page in remote.fleet.runtime.log.run_pages(item.branch_key, item.run_id):
            yield b"".join(line + b"\n" for line in page.lines)

    return EventLines(lines, media_type="application/x-ndjson")


@get("/api/sessions/{session_id:str}/history", responses=answers(*_OF_A_SESSION, "invalid-request"))
async def get_history(
    session_id: FromPath[str],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    worker: FromQuery[str | None] = None,
) -> HistoryView:
    """Return the conversation of a session's branch."""
    holding = await holder_of(remote.fleet, caller.identity, session_id, worker)
    return HistoryView(messages=await remote_reads.history_of(remote, holding))


@get("/api/sessions/{session_id:str}/state", responses=answers(*_OF_A_SESSION, "invalid-request"))
async def get_state(
    session_id: FromPath[str],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    name: FromQuery[list[str] | None] = None,
    # Not `scope`: the framework has another use for that name.
    kept_of: Annotated[Literal["branch", "session"], QueryParameter(name="scope")] = "branch",
    worker: FromQuery[str | None] = None,
) -> StateView:
    """Return what is kept with a session's branch, or with its whole conversation, under the names given."""
    holding = await holder_of(remote.fleet, caller.identity, session_id, worker)
    names = [each for each in name or () if is_name(each)]
    kept = await remote_reads.state_of(remote, holding, names, of_session=kept_of == "session")
    return StateView(values={each: Raw(value) for each, value in kept.items()})


@get("/api/sessions/{session_id:str}/questions/{request_id:str}", responses=answers(*_OF_A_SESSION, "invalid-request"))
async def get_question(
    session_id: FromPath[str],
    request_id: FromPath[str],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
    worker: FromQuery[str | None] = None,
) -> OutcomeView:
    """Return what became of a question on a session's branch."""
    holding = await holder_of(remote.fleet, caller.identity, session_id, worker)
    if not is_client_id(request_id):
        return OutcomeView(was_asked=False, settled=None)
    was_asked, settled = await remote_reads.question_of(remote, holding, request_id)
    return OutcomeView(was_asked=was_asked, settled=settled)


@post(
    "/api/workers/{worker_id:str}/watch",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(WatchBody),
    responses=answers(
        "worker-not-found", "invalid-request", "payload-too-large", "unsupported-media-type", "storage-unavailable"
    ),
)
async def post_watch(
    worker_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    remote: NamedDependency[RemoteRuns],
) -> Seen:
    """Return what became of the sessions that a worker works on, and of what they have asked."""
    said = await read_report(request, WatchBody)
    if sum(len(each.questions) for each in said.sessions) > _MOST:
        raise InvalidRequest(f"A look is for at most {_MOST} questions - at `$.sessions`.")
    worker = await worker_named(remote.fleet, caller.identity, worker_id)
    return await remote_reads.look(remote, worker, said.sessions)


ROUTES: Final = (post_take, get_past, get_run_log, get_history, get_state, get_question, post_watch)
