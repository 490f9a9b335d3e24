"""Answering a question of a run."""

from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from events.interactions import Response, ResponseOutcome
from events.position import Position
from events.serializer import Stamp
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchNotRunning, InvalidResponse, ResponseNotAwaited
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.keyed_errors import RequestRepeated
from hosting.ports.units import Committed, Refusal, SettleInteraction, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.keyed import Keyed, record_of

_OF_THE_LOG: Final[dict[str, Any]] = {
    "metadata": None,
    "trace_id": None,
    "span_id": None,
    "parent_span_id": None,
    "event_flow_id": None,
}


@dataclass(frozen=True, slots=True)
class Responded:
    """An answer that was accepted; following from `position` shows it and what comes of it."""

    request_id: str
    outcome: ResponseOutcome
    position: Position


async def respond(
    runtime: Runtime, branch: Branch, response: Response, keyed: Keyed[Responded] | None = None
) -> Responded:
    """Settle a question with the first valid answer: when this returns, the answer is stored and in the log.

    The run goes on with it, also when no node holds it at the moment.

    Raises:
        InvalidResponse: the answer contradicts itself.
        BranchNotRunning: the branch has no active run.
        ResponseNotAwaited: the active run does not wait for this answer; `outcome` says why.
        RequestRepeated: it was answered before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    contradiction = response.contradiction()
    if contradiction is not None:
        raise InvalidResponse(contradiction)
    scope, request_id = branch.scope, response.request_key
    answer = replace(response, **_OF_THE_LOG)
    stamp = Stamp(scope.session_id, scope.branch_id).at(runtime.clock())
    kind = runtime.serializer.catalog.name_of(type(response))
    line = runtime.serializer.encode_unplaced(answer, stamp)

    def responded(before: Position) -> Responded:
        return Responded(request_id, ResponseOutcome.ACCEPTED, before)

    unit = Unit(
        scope.tenant,
        branch.key,
        changes=[SettleInteraction(request_id, InteractionState.ANSWERED, kind, line)],
        events=[runtime.serializer.encode(answer, stamp)],
        record=record_of(keyed, responded),
    )
    outcome = await runtime.writer.append_to(unit)
    if outcome is Refusal.REQUEST_REPEATED:
        raise RequestRepeated
    if not isinstance(outcome, Committed):
        raise await _refused(runtime, branch, request_id, kind)
    runtime.wakes.settled(request_id)
    return responded(outcome.before)


async def _refused(runtime: Runtime, branch: Branch, request_id: str, kind: str) -> Exception:
    reads = runtime.tenant(branch.scope.tenant)
    # The run first: when it ends between the two reads, what it had asked is settled by then.
    active = await reads.active_run(branch.key)
    outcome = _outcome(await reads.interaction(branch.key, request_id), kind)
    refusal = BranchNotRunning if active is None else ResponseNotAwaited
    return refusal(branch.scope.branch_id, request_id, outcome)


def _outcome(asked: Interaction | None, kind: str) -> ResponseOutcome:
    if asked is None:
        return ResponseOutcome.NOT_FOUND
    if asked.state is InteractionState.ANSWERED:
        return ResponseOutcome.ALREADY_RESOLVED
    if asked.state is InteractionState.CANCELLED:
        return ResponseOutcome.CANCELLED
    if asked.state is InteractionState.OPEN and asked.response_type != kind:
        return ResponseOutcome.TYPE_MISMATCH
    # Open still, and past its deadline: it is told as soon as somebody has looked.
    return ResponseOutcome.TIMED_OUT
