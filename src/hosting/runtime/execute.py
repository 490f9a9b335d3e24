"""Executing a run that this node holds: from its turn's first event to its terminal state."""

from dataclasses import dataclass
from typing import Final

import structlog

from events.runs import RunStatus
from events.turns import MessageTurnStarted
from hosting.domain.errors import AgentMissing, LogCorrupt, RunLost
from hosting.domain.lease import Lease
from hosting.domain.run import COMPLETED, Ending
from hosting.domain.run_config import check_run_config
from hosting.ports.agents import Agent
from hosting.ports.units import BeginTurn
from hosting.runtime.agent_task import run_agent
from hosting.runtime.context import AgentContext
from hosting.runtime.core import Runtime
from hosting.runtime.finish import finish_run
from hosting.runtime.mend import close_cut_messages, tell_retry
from hosting.runtime.pen import Pen
from hosting.runtime.steps import Steps
from hosting.runtime.turn import Turn
from middleware.error_formatting import ErrorFormatting
from middleware.errors import TurnFailed
from middleware.pipeline import TurnLayer, compose
from middleware.timeout import Timeout

_log = structlog.get_logger("branchline.execute")

_LAYERS: Final[tuple[TurnLayer, ...]] = (ErrorFormatting(), Timeout())


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
        try:
            if lease.attempt > self.max_attempts:
                await self._give_up(pen)
            else:
                await self._go_on(pen)
        finally:
            # An agent that goes on regardless writes nothing more.
            pen.close()

    async def _go_on(self, pen: Pen) -> None:
        lease = pen.lease
        # Not told by the attempts: a server that stops in good order gives its runs back uncounted.
        has_begun = lease.run.turn_id is not None
        steps = Steps(await self.runtime.run_reads.steps(lease.run.id) if has_begun else ())
        if has_begun:
            await close_cut_messages(self.runtime, pen)
        try:
            agent = self.runtime.agents.get(lease.run.agent_id)
        except AgentMissing as error:
            gone = Ending(RunStatus.FAILED, type(error).__name__, str(error), is_retryable=True)
            await self._finish(pen, self._turn(lease, lease.run.agent_id), gone)
            return
        tell_retry(pen, steps, max_attempts=self.max_attempts)
        await self._run_turn(pen, self._turn(lease, agent.name), agent, steps)

    async def _give_up(self, pen: Pen) -> None:
        lease = pen.lease
        try:
            await close_cut_messages(self.runtime, pen)
        except LogCorrupt as error:
            # What the run had written cannot be read; it must end all the same.
            _log.error("cannot close the messages of a lost run", run=lease.run.id, why=str(error))
        lost = RunLost(lease.attempt - 1)
        ending = Ending(RunStatus.FAILED, RunLost.__name__, str(lost))
        await self._finish(pen, self._turn(lease, lease.run.agent_id), ending)

    async def _run_turn(self, pen: Pen, turn: Turn, agent: Agent, steps: Steps) -> None:
        run = pen.lease.run
        self._begin_turn(pen, turn)
        context = AgentContext(
            self.runtime, pen, turn, steps=steps, input=pen.lease.input, config=check_run_config(run.config)
        )
        ending = COMPLETED
        try:
            await compose(_LAYERS, context, lambda: run_agent(agent, context, self.runtime.stragglers))()
        except TurnFailed as error:
            context.cut()
            ending = Ending(RunStatus.FAILED, error.error_type, error.message, is_retryable=error.is_retryable)
        await self._finish(pen, turn, ending, context.iterations)

    async def _finish(self, pen: Pen, turn: Turn, ending: Ending, iterations: int = 0) -> None:
        await finish_run(pen, turn, ending, self.runtime.clock(), iterations)

    def _turn(self, lease: Lease, agent_name: str) -> Turn:
        ids, run = self.runtime.ids, lease.run
        return Turn(
            id=run.turn_id or ids.turn(),
            trace_id=run.trace_id or ids.trace(),
            span_id=ids.span(),
            agent_name=agent_name,
            began=self.runtime.clock(),
        )

    def _begin_turn(self, pen: Pen, turn: Turn) -> None:
        run = pen.lease.run
        first = () if run.turn_id else (BeginTurn(run.id, turn.id, turn.trace_id),)
        started = MessageTurnStarted(
            message_turn_id=turn.id,
            conversation_id=run.scope.session_id,
            runtime_run_id=run.id,
            agent_id=run.agent_id,
            agent_name=turn.agent_name,
            input_message_count=len(pen.lease.input),
            is_resume=run.turn_id is not None,
            **turn.flow,
        )
        pen.put(started, *first)
