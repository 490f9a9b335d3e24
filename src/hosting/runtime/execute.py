"""Executing a run that this node holds: from its turn's first event to its terminal state."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from events.runs import RunStatus
from hosting.domain.credential_errors import SealBroken, SealKeyMissing
from hosting.domain.errors import AgentElsewhere, AgentMissing, ConfigRefused, RunLost
from hosting.domain.interaction import InteractionState
from hosting.domain.interrupt import Interrupt
from hosting.domain.lease import Lease
from hosting.domain.message import MessageState
from hosting.domain.run import COMPLETED, Ending
from hosting.domain.run_config import RunConfig, check_run_config
from hosting.ports.agents import Agent
from hosting.ports.summaries import Summarizing
from hosting.runtime.agent_task import run_agent
from hosting.runtime.beginning import begin_turn, hand_of
from hosting.runtime.bench import Bench, ClientTools
from hosting.runtime.client_tool_calls import register_client_tools
from hosting.runtime.closing import INTERRUPTED_REASON, cancel_questions, tell_interrupted
from hosting.runtime.compact import compact_before_turn, policy_of, wish_of
from hosting.runtime.context import AgentContext
from hosting.runtime.core import Runtime
from hosting.runtime.finish import finish_run
from hosting.runtime.hand import Hand
from hosting.runtime.interruptible import until_interrupted
from hosting.runtime.limits import limits_of
from hosting.runtime.nested import run_nested
from hosting.runtime.pen import Pen
from hosting.runtime.projects import project_of
from hosting.runtime.questions import Questions
from hosting.runtime.recovery import Past, read_past
from hosting.runtime.reentry import reopen_nested, retry_of
from hosting.runtime.run_secrets import opened_config
from hosting.runtime.steps import Steps
from middleware.budget import Budget
from middleware.error_formatting import ErrorFormatting
from middleware.errors import TurnFailed, TurnStopped, Withdrawn
from middleware.pipeline import TurnLayer, compose
from middleware.timeout import Timeout

_log = structlog.get_logger("branchline.execute")

_FORMAT: Final = ErrorFormatting()
_TIMEOUT: Final = Timeout()
_ATTEMPTS_OF_WAITING: Final = 1_000
_LOST_WITH_WORKERS: Final = "Too many workers were lost with this run; it is given up."


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes runs; a run that was cut off `max_attempts` times is given up."""

    runtime: Runtime
    max_attempts: int = 3

    async def execute(self, lease: Lease) -> None:
        """Execute a run to its end.

        Raises:
            Withdrawn: the run has not ended; whoever claims it next goes on with it.
        """
        pen = Pen(lease, self.runtime.writer, self.runtime.serializer, self.runtime.clock)
        inbox = self.runtime.wakes.inbox(lease.run.id)
        for wish in lease.interrupts:
            inbox.put(wish)
        try:
            await self._execute(pen)
        finally:
            # An agent that goes on regardless writes nothing more.
            pen.close()
            self.runtime.wakes.forget(lease.run.id)

    async def _execute(self, pen: Pen) -> None:
        lease = pen.lease
        # Not told by the attempts: a server that stops in good order gives its runs back uncounted.
        wish = next((wish for wish in lease.interrupts if wish.flow is None), None)
        past = Past()
        if lease.run.turn_id is not None:
            past = await self._read_past(pen, only_ends=wish is not None or lease.run.work_item is not None)
        if wish is not None:
            await self._end(pen, past, _cancelled(wish), wish)
        elif lease.run.work_item is not None:
            # It was a worker's; the fleet has handed it back to be ended.
            await self._end(pen, past, Ending(RunStatus.FAILED, RunLost.__name__, _LOST_WITH_WORKERS))
        elif lease.attempt > self._attempts_of(past):
            lost = str(RunLost.after(lease.attempt - 1))
            await self._end(pen, past, Ending(RunStatus.FAILED, RunLost.__name__, lost))
        else:
            await self._go_on(pen, past)

    def _attempts_of(self, past: Past) -> int:
        """Return how often a run may be begun: one that waits for an answer is not to blame for the server's crashes.

        Not for ever, though: what it does beside waiting could be what ends the server.
        """
        waits = any(asked.state is InteractionState.OPEN for asked in past.asked)
        return _ATTEMPTS_OF_WAITING if waits else self.max_attempts

    async def _read_past(self, pen: Pen, *, only_ends: bool) -> Past:
        try:
            return await read_past(self.runtime, pen.lease)
        except Withdrawn:
            raise
        except Exception:
            if pen.lease.attempt <= self.max_attempts and not only_ends:
                raise
            # What the run had written cannot be read; it must end all the same.
            _log.exception("cannot read what a run has done, which ends without that", run=pen.lease.run.id)
            return Past()

    async def _go_on(self, pen: Pen, past: Past) -> None:
        lease = pen.lease
        try:
            run = lease.run
            agent = await self.runtime.agents.get(run.scope.tenant, run.agent_id, run.agent_version)
            config = check_run_config(opened_config(self.runtime.cipher, run))
        except (AgentMissing, AgentElsewhere, ConfigRefused, SealBroken, SealKeyMissing) as error:
            gone = Ending(RunStatus.FAILED, type(error).__name__, str(error), is_retryable=True)
            await self._end(pen, past, gone)
            return
        past.end_cut_messages(pen, MessageState.DISCARDED)
        steps = Steps(past.steps)
        retry = retry_of(lease, steps, max_attempts=self.max_attempts)
        if retry is not None:
            pen.put(retry)
        hand = hand_of(self.runtime, pen, past, agent.name)
        # An interrupt may come before the agent is back inside of what it had begun.
        reopen_nested(hand, past)
        await self._run_turn(self._bench(hand, past, agent, config), agent, steps)

    async def _end(self, pen: Pen, past: Past, ending: Ending, wish: Interrupt | None = None) -> None:
        """End a run that is not begun again, whatever its past holds; `wish` came while nobody held it."""
        hand = hand_of(self.runtime, pen, past)
        if wish is not None:
            tell_interrupted(hand, wish)
        try:
            await self._close(hand, past, ending)
        except Withdrawn:
            raise
        except Exception:  # noqa: BLE001 - or the branch would be taken by this run for ever
            _log.exception("cannot close what a run has left open, which ends without that", run=pen.lease.run.id)
            await finish_run(self.runtime, hand_of(self.runtime, pen, Past()), ending)

    async def _close(self, hand: Hand, past: Past, ending: Ending) -> None:
        """End a run with all that it has left open."""
        state = MessageState.INTERRUPTED if ending.status is RunStatus.CANCELLED else MessageState.DISCARDED
        reopen_nested(hand, past)
        await cancel_questions(self.runtime, hand, reason=ending.reason or ending.status)
        past.end_cut_messages(hand.pen, state)
        await finish_run(self.runtime, hand, ending)

    async def _run_turn(self, bench: Bench, agent: Agent, steps: Steps) -> None:
        hand = bench.hand
        begin_turn(hand)
        context = AgentContext(bench, steps, hand.lease.input)
        client_tools, compaction = bench.config.client_tool_input, wish_of(agent, bench.config)

        async def work() -> None:
            if client_tools is not None:
                await register_client_tools(bench, steps, client_tools)
            if compaction is not None:
                await compact_before_turn(bench, steps, context, context.iteration, compaction)
            await run_agent(agent, context, self.runtime.stragglers, hand.withdraw)

        layers: list[TurnLayer] = [_FORMAT, _TIMEOUT]
        wrapped = compose([partial(layer.around_turn, context) for layer in layers], work)

        def interrupted(wish: Interrupt) -> None:
            hand.withdraw()
            tell_interrupted(hand, wish)

        try:
            wish = await until_interrupted(wrapped, bench.inbox, None, interrupted)
            ending = COMPLETED if wish is None else _cancelled(wish)
        except TurnStopped as stopped:
            ending = Ending(RunStatus.COMPLETED, termination=stopped.reason)
        except TurnFailed as error:
            ending = Ending(
                RunStatus.FAILED,
                error.error_type,
                error.message,
                is_retryable=error.is_retryable,
                category=error.category,
            )
        hand.withdraw()
        await finish_run(self.runtime, hand, ending)

    def _bench(self, hand: Hand, past: Past, agent: Agent, config: RunConfig) -> Bench:
        limits = limits_of(agent, config)
        return Bench(
            runtime=self.runtime,
            hand=hand,
            questions=Questions(self.runtime, hand, past.asked),
            config=config,
            limits=limits,
            inbox=self.runtime.wakes.inbox(hand.lease.run.id),
            before=past.flows,
            client_tools=ClientTools(),
            nest=run_nested,
            project=project_of(agent),
            summarizer=agent if isinstance(agent, Summarizing) else None,
            policy=policy_of(agent, config),
            budget=Budget(limits.tool_failures),
        )


def _cancelled(wish: Interrupt) -> Ending:
    return Ending(RunStatus.CANCELLED, reason=wish.reason, termination=INTERRUPTED_REASON)
