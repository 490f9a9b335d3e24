"""The questions of a run that a worker does: asked at its desk, and what comes of them written down for it."""

import dataclasses
from datetime import timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from events.interactions import Request, Response
from events.permissions import (
    PermissionApproved,
    PermissionChoice,
    PermissionDenied,
    PermissionRequest,
    PermissionResponse,
)
from events.serializer import Encoded, Stamp
from events.tools import ResultType, ToolResult
from hosting.domain.inbox_message import InboxMessage, InboxType
from hosting.domain.interaction import DECIDED, OF_A_WORKER, Interaction, InteractionState
from hosting.domain.run_config import check_stored_config
from hosting.domain.work_errors import QuestionRefused
from hosting.ports.units import OpenInteraction
from hosting.ports.words import TellWorker
from hosting.runtime.choices import choice_of, keep_choice
from hosting.runtime.core import Runtime
from hosting.runtime.desk import Desk
from middleware.permissions import DENIED, EXPIRED, OVERRIDDEN, REMEMBERED, Verdict

_OVERRIDE: Final = "override"
_REMEMBERED: Final = "remembered"


async def ask(runtime: Runtime, desk: Desk, request: Request, within: timedelta) -> None:
    """Ask what a worker wants to know; a permission that was decided before is decided at once.

    A permission is about a call as the worker names it, which begins with the question if it has not begun.

    Raises:
        QuestionRefused: its id was used before on the branch, or the call has ended, or was asked about.
    """
    branch = desk.item.branch_key
    if await runtime.run_reads.was_asked(branch, request.request_key):
        raise QuestionRefused(f"The request id {request.request_key!r:.140} was used on this branch before.")
    if isinstance(request, PermissionRequest):
        request = replace(request, call_id=desk.call_named(request.call_id))
        await _check_call(runtime, desk, request)
        decided = await _decided(runtime, desk, request)
        if request.call_id not in desk.hand.unfinished.calls:
            await desk.call(request.function_name, request.arguments or {}, request.call_id)
        # More calls may follow while it waits; they belong to messages of their own.
        desk.end_message()
        if decided is not None:
            _decide_at_once(runtime, desk, request, *decided)
            return
    _open(runtime, desk, request, within)


async def hear(runtime: Runtime, desk: Desk, settled: Interaction) -> None:
    """Write down what came of a question, for whoever works on the run now: in the log, and into the inbox."""
    request = await _request_of(runtime, settled)
    if isinstance(request, PermissionRequest) and request.call_id in desk.hand.unfinished.calls:
        _decide(runtime, desk, request, settled)
    desk.hand.unfinished.settle(settled.id)
    result = InboxMessage(
        id=runtime.ids.inbox(),
        item_id=desk.item.id,
        type=InboxType.HOOK_RESULT,
        payload=answer_text(settled),
        created_at=runtime.clock(),
        request_id=settled.id,
    )
    desk.hand.record(TellWorker(result))


async def is_decided(runtime: Runtime, desk: Desk, call_id: str) -> bool:
    """Say whether nobody is asked about a call any more; what came of the question is written down before."""
    asked = desk.hand.unfinished.requests.items()
    request_id = next((key for key, request in asked if getattr(request, "call_id", None) == call_id), None)
    if request_id is None:
        return True
    settled = await runtime.run_reads.settled(desk.item.branch_key, request_id)
    if settled is not None:
        await hear(runtime, desk, settled)
    return settled is not None


def answer_text(settled: Interaction) -> str:
    """Return what came of a question, as JSON: its `requestId`, its `state`, and the `response` if there is one."""
    told = {"requestId": settled.id, "state": settled.state.value}
    answer = {} if settled.response is None else {"response": msgspec.Raw(settled.response)}
    return msgspec.json.encode({**told, **answer}).decode()


async def _check_call(runtime: Runtime, desk: Desk, request: PermissionRequest) -> None:
    call_id = request.call_id
    if desk.knows_call(call_id) and call_id not in desk.hand.unfinished.calls:
        raise QuestionRefused(f"The call {call_id!r:.140} has ended; nothing can be asked about it any more.")
    asked = await runtime.run_reads.interactions(desk.hand.lease.run.id)
    if any(each.place in {f"{OF_A_WORKER}{call_id}", f"{DECIDED}{call_id}"} for each in asked):
        raise QuestionRefused(f"The call {call_id!r:.140} was asked about before, with another request id.")


async def _decided(runtime: Runtime, desk: Desk, request: PermissionRequest) -> tuple[Verdict, str] | None:
    """Return what the run's own configuration, or an earlier answer, says of the tool."""
    run, tool = desk.hand.lease.run, request.function_name
    override = check_stored_config(run.config).permission_overrides.get(tool)
    if override is not None:
        return Verdict(override, "" if override else OVERRIDDEN), _OVERRIDE
    remembered = await choice_of(runtime.run_reads, run.branch_key, run.scope, tool)
    if remembered is not None:
        return Verdict(remembered, "" if remembered else REMEMBERED), _REMEMBERED
    return None


def _decide_at_once(runtime: Runtime, desk: Desk, request: PermissionRequest, verdict: Verdict, reason: str) -> None:
    """Tell a decision that nobody was asked for; it is kept, so that asked again it is the same."""
    scope, now = desk.item.scope, runtime.clock()
    response = PermissionResponse(
        permission_id=request.permission_id, approved=verdict.approved, reason=verdict.told or None
    )
    line = runtime.serializer.encode_unplaced(response, Stamp(scope.session_id, scope.branch_id).at(now))
    kept = _interaction(runtime, desk, request, f"{DECIDED}{request.call_id}", None)
    answered = dataclasses.replace(kept, state=InteractionState.ANSWERED, response=line)

    def changes(encoded: Encoded) -> tuple[OpenInteraction]:
        return (OpenInteraction(answered, encoded, None),)

    desk.hand.put_asking(_decision(desk, request, approved=verdict.approved, reason=reason), changes)
    _end_denied(desk, request, verdict)


def _decide(runtime: Runtime, desk: Desk, request: PermissionRequest, settled: Interaction) -> None:
    """Tell whether a call may go on; a question that was cancelled decides nothing."""
    response = None if settled.response is None else runtime.serializer.decode(settled.response)
    if isinstance(response, PermissionResponse):
        verdict = Verdict(response.approved, "" if response.approved else response.reason or DENIED)
        lasts = response.choice is not PermissionChoice.ASK
        kept = (keep_choice(desk.item.scope, request.function_name, approved=response.approved),) if lasts else ()
        desk.put(_decision(desk, request, approved=response.approved, reason=response.reason), *kept)
    elif settled.state is InteractionState.EXPIRED:
        verdict = Verdict(approved=False, told=EXPIRED)
        desk.put(_decision(desk, request, approved=False, reason="expired"))
    else:
        return
    _end_denied(desk, request, verdict)


def _decision(
    desk: Desk, request: PermissionRequest, *, approved: bool, reason: str | None
) -> PermissionApproved | PermissionDenied:
    kind = PermissionApproved if approved else PermissionDenied
    return kind(
        permission_id=request.permission_id,
        source_name=request.source_name,
        function_name=request.function_name,
        call_id=request.call_id,
        reason=reason,
        event_flow_id=desk.hand.turn.id,
    )


def _end_denied(desk: Desk, request: PermissionRequest, verdict: Verdict) -> None:
    if not verdict.approved:
        desk.answer(request.call_id, ToolResult(text=verdict.told, result_type=ResultType.DENIED))


def _open(runtime: Runtime, desk: Desk, request: Request, within: timedelta) -> None:
    about = request.call_id if isinstance(request, PermissionRequest) else ""
    interaction = _interaction(runtime, desk, request, f"{OF_A_WORKER}{about}", within)
    event = replace(request, expires_at=interaction.expires_at, event_flow_id=desk.hand.turn.id)

    def changes(encoded: Encoded) -> tuple[OpenInteraction]:
        return (OpenInteraction(interaction, encoded, within.total_seconds()),)

    desk.hand.put_asking(event, changes)


def _interaction(runtime: Runtime, desk: Desk, request: Request, place: str, within: timedelta | None) -> Interaction:
    run, now = desk.hand.lease.run, runtime.clock()
    answered_by: type[Response] = request.answered_by
    return Interaction(
        id=request.request_key,
        branch_key=run.branch_key,
        scope=run.scope,
        run_id=run.id,
        agent_id=run.agent_id,
        place=place,
        request_type=runtime.serializer.catalog.name_of(type(request)),
        response_type=runtime.serializer.catalog.name_of(answered_by),
        source_name=request.source_name,
        state=InteractionState.OPEN,
        seq=0,
        requested_at=now,
        expires_at=None if within is None else now + within,
    )


async def _request_of(runtime: Runtime, asked: Interaction) -> Request | None:
    async for page in runtime.log.pages(asked.branch_key, asked.seq - 1, asked.seq):
        event = runtime.serializer.decode(page.lines[0])
        return event if isinstance(event, Request) else None
    return None
