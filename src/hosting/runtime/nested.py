"""Work of another agent inside of a run: steps of the run, told on its branch, without a run of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from events.branches import TextContent
from events.ids import AgentId
from events.text import Role
from events.turns import MessageTurnError, MessageTurnStarted
from hosting.domain.errors import AgentElsewhere, AgentMissing, ConfigRefused
from hosting.domain.interrupt import Interrupt
from hosting.domain.message import Message
from hosting.domain.run_observation import key_of_nested
from hosting.domain.step import Step, StepKey, StepKind
from hosting.ports.agents import Agent
from hosting.ports.results import Observe
from hosting.ports.units import BeginStep, FinishStep
from hosting.runtime.agent_task import run_agent
from hosting.runtime.bench import Bench
from hosting.runtime.closing import GIVEN_UP_REASON, INTERRUPTED_REASON, close_turn, tell_interrupted, turn_finished
from hosting.runtime.context import AgentContext
from hosting.runtime.interruptible import until_interrupted
from hosting.runtime.limits import limits_of
from hosting.runtime.projects import project_of
from hosting.runtime.routes import observed
from hosting.runtime.steps import Steps
from hosting.runtime.turn import Turn
from middleware.budget import Budget
from middleware.error_formatting import ErrorFormatting
from middleware.errors import MODEL_NOT_FOUND, ToolFailed, TurnFailed, TurnStopped

_FORMAT: Final = ErrorFormatting()
_MOST_DEPTH: Final = 8


_INTERRUPTED: Final = "Interrupted"


class _Outcome(msgspec.Struct, frozen=True):
    """How nested work has ended, as its step keeps it."""

    text: str = ""
    error_type: str | None = None
    error_message: str = ""


async def run_nested(above: Bench, steps: Steps, agent_id: str, text: str) -> str:
    """Let an agent answer a text inside of a step, and return the last that it said.

    Raises:
        ToolFailed: no agent answers under that id, it failed, was interrupted, or too many agents are inside of each
            other.
    """
    if above.hand.turn.depth >= _MOST_DEPTH:
        raise ToolFailed("NestedTooDeep", f"Agents can be {_MOST_DEPTH} deep inside of each other.", is_retryable=False)
    key = steps.next_key(StepKind.NESTED_RUN, agent_id, text)
    logged = steps.logged(key)
    if logged is not None and logged.result is not None:
        return _read(msgspec.json.decode(logged.result, type=_Outcome))
    agent, version = await _agent(above, logged, AgentId(agent_id))
    bench = _bench(above, _turn(above, logged, agent_id, agent), agent)
    try:
        await _begin(bench, key, logged, version)
        outcome = await _work(bench, steps.inside(key), agent, text)
    except asyncio.CancelledError:
        if not above.hand.is_withdrawn:
            # Nobody waits for it any more: the time of the call that it is inside of has run out, perhaps.
            _finish(above, bench, key, await _give_up(bench))
        raise
    _finish(above, bench, key, outcome)
    await above.hand.settle()
    if bench.runtime.router is not None:
        bench.runtime.router.learnt(bench.hand.arms)
    return _read(outcome)


def _finish(above: Bench, bench: Bench, key: StepKey, outcome: _Outcome) -> None:
    bench.hand.end()
    run_id = above.hand.lease.run.id
    finished = FinishStep(run_id, key.place, msgspec.json.encode(outcome))
    above.hand.record(finished, *_learnt(bench, key_of_nested(run_id, key.place), outcome))


def _learnt(bench: Bench, key: str, outcome: _Outcome) -> tuple[Observe, ...]:
    """Return what is learnt of whoever the work was given to: with its own end, since it may fail and the run not."""
    if outcome.error_type == _INTERRUPTED:
        return ()
    began, now = bench.hand.turn.began, bench.runtime.clock()
    return observed(bench.hand, key, succeeded=outcome.error_type is None, began=began, ended=now)


async def _agent(above: Bench, logged: Step | None, agent_id: AgentId) -> tuple[Agent, int | None]:
    """Return an agent with the version of its definition: the one that the work began with, or else the newest."""
    agents, tenant = above.runtime.agents, above.hand.lease.run.scope.tenant
    try:
        if logged is not None:
            version = logged.agent_version
        elif (engaged := await agents.engage(tenant, agent_id)).terms is not None:
            raise AgentElsewhere(agent_id)
        else:
            version = engaged.version
        return await agents.get(tenant, agent_id, version), version
    except (AgentMissing, AgentElsewhere, ConfigRefused) as error:
        raise ToolFailed(type(error).__name__, str(error), is_retryable=False) from error


def _turn(above: Bench, logged: Step | None, agent_id: str, agent: Agent) -> Turn:
    ids = above.runtime.ids
    turn_id = (logged.flow if logged else None) or ids.turn()
    now = above.runtime.clock()
    return above.hand.turn.nested(turn_id, ids.span(), agent_id=AgentId(agent_id), agent_name=agent.name, began=now)


def _bench(above: Bench, turn: Turn, agent: Agent) -> Bench:
    hand = above.hand.nested(turn, above.before.get(turn.id))
    limits = limits_of(agent, above.config)
    # The model was asked of the agent that the input went to, and that agent has said that it can do so.
    config = replace(above.config, model=None)
    questions = above.questions.of(hand)
    return replace(
        above,
        hand=hand,
        questions=questions,
        config=config,
        limits=limits,
        project=project_of(agent),
        budget=Budget(limits.tool_failures),
    )


async def _begin(bench: Bench, key: StepKey, logged: Step | None, version: int | None) -> None:
    run, turn = bench.hand.lease.run, bench.hand.turn
    started = MessageTurnStarted(
        message_turn_id=turn.id,
        conversation_id=run.scope.session_id,
        runtime_run_id=run.id,
        agent_id=turn.agent_id,
        agent_name=turn.agent_name,
        input_message_count=1,
        is_resume=logged is not None,
        **turn.flow,
    )
    bench.hand.put(started, *(() if logged else (BeginStep(run.id, key, turn.id, version),)))
    # Stored before it goes on: an interrupt of this flow is refused when the store does not know it.
    await bench.hand.settle()


async def _work(bench: Bench, steps: Steps, agent: Agent, text: str) -> _Outcome:
    runtime, hand = bench.runtime, bench.hand
    said: Sequence[Message] = [Message(runtime.ids.message(), Role.USER, (TextContent(text=text),))]
    context = AgentContext(bench, steps, said)

    def interrupted(wish: Interrupt) -> None:
        hand.withdraw()
        tell_interrupted(hand, wish)

    async def turn() -> None:
        await _FORMAT.around_turn(context, lambda: run_agent(agent, context, runtime.stragglers, hand.withdraw))

    try:
        wish = await until_interrupted(turn, bench.inbox, hand.turn.id, interrupted)
    except TurnFailed as error:
        await close_turn(runtime, hand, reason="failed", finished=False)
        hand.finish(_error(bench, error))
        if error.breaks_run:
            hand.end()
            raise
        return _Outcome(error_type=error.error_type, error_message=error.message)
    except TurnStopped as stopped:
        await close_turn(runtime, hand, reason=stopped.reason, finished=True, termination=stopped.reason)
        hand.finish(turn_finished(runtime, hand, stopped.reason))
        return _Outcome(text=context.last_text)
    termination = INTERRUPTED_REASON if wish else None
    reason = wish.reason if wish else "finished"
    await close_turn(runtime, hand, reason=reason, finished=True, termination=termination)
    hand.finish(turn_finished(runtime, hand, termination))
    if wish is not None:
        return _Outcome(error_type=_INTERRUPTED, error_message=f"Interrupted: {wish.reason}")
    return _Outcome(text=context.last_text)


async def _give_up(bench: Bench) -> _Outcome:
    runtime, hand = bench.runtime, bench.hand
    hand.withdraw()
    await close_turn(runtime, hand, reason=GIVEN_UP_REASON, finished=True, termination=GIVEN_UP_REASON)
    if hand.unfinished.turn is not None:
        hand.finish(turn_finished(runtime, hand, GIVEN_UP_REASON))
    return _Outcome(error_type="GivenUp", error_message="Nobody waited for the agent any more.")


def _error(bench: Bench, error: TurnFailed) -> MessageTurnError:
    turn = bench.hand.turn
    return MessageTurnError(
        message=error.message,
        message_turn_id=turn.id,
        runtime_run_id=bench.hand.lease.run.id,
        agent_id=turn.agent_id,
        agent_name=turn.agent_name,
        error_type=error.error_type,
        category=error.category,
        is_model_not_found=error.category == MODEL_NOT_FOUND,
        is_retryable=error.is_retryable,
        **turn.flow,
    )


def _read(outcome: _Outcome) -> str:
    if outcome.error_type is not None:
        raise ToolFailed(outcome.error_type, outcome.error_message, is_retryable=False)
    return outcome.text
