"""One tool call of a run: a step that is begun before its effect and finished with its result."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, Final, TypeVar

import msgspec

from events.branches import FunctionCall
from events.event import Event
from events.permissions import PermissionRequest, PermissionResponse
from events.tools import ResultType, ToolCallEnd, ToolCallResult, ToolResult
from hosting.domain.errors import RunLost
from hosting.domain.message import Message
from hosting.domain.step import StepKind
from hosting.ports.agents import ToolOutcome
from hosting.ports.tools import Tool
from hosting.ports.units import BeginStep, FinishStep, RunChange
from hosting.runtime.bench import Bench
from hosting.runtime.choices import Choices, keep_choice
from hosting.runtime.client_tool_calls import invoke_client
from hosting.runtime.steps import Steps
from hosting.runtime.tool_results import error_result, to_result
from hosting.runtime.turn import Flow, flow_of
from hosting.runtime.work_context import WorkContext
from middleware.error_formatting import ErrorFormatting
from middleware.errors import AgentError, LeftToClient, PermissionNeeded
from middleware.permissions import Decision, Gate, Permissions, Verdict
from middleware.pipeline import ToolLayer, compose
from middleware.retry import Retry
from middleware.timeout import Timeout

_PERMISSIONS: Final = Permissions()
_RETRY: Final = Retry()
_TIMEOUT: Final = Timeout()
_TOOL: Final = "Tool"
"""Who asks, when it is the tool that finds out that its call must be allowed."""

_Asking = TypeVar("_Asking", bound=PermissionRequest | Decision)


class ToolRun:
    """A call from its gate to its end; as layers see it, a ToolCall and a GatedCall."""

    def __init__(
        self, bench: Bench, steps: Steps, message: Message, call: FunctionCall, tool: Tool, *, choices: Choices
    ) -> None:
        self._bench = bench
        self._choices = choices
        self._message = message
        self._call = call
        self._tool = tool
        self._key = steps.next_key(StepKind.TOOL_CALL, call.name, call.arguments)
        self._step = steps.logged(self._key)
        self._begun = self._step is not None
        self.steps = steps.inside(self._key)
        self._decision_key = self.steps.next_key(StepKind.DECISION, call.name, None)
        self._decision = self.steps.logged(self._decision_key)
        self._left_key = self.steps.next_key(StepKind.WORK, "left to the client", None)
        self._gate: Gate | None = None
        self._needs_permission = False
        self._was_gated = False
        self._refused: AgentError | None = None

    @property
    def name(self) -> str:
        """See ToolCall.name."""
        return self._call.name

    @property
    def call_id(self) -> str:
        """See ToolCall.call_id."""
        return self._call.call_id

    @property
    def arguments(self) -> Mapping[str, Any]:
        """See ToolCall.arguments."""
        return self._call.arguments

    @property
    def description(self) -> str | None:
        """See GatedCall.description."""
        return self._tool.description

    @property
    def requires_permission(self) -> bool:
        """See GatedCall.requires_permission."""
        return self._tool.requires_permission or self._needs_permission or self._was_gated

    @property
    def permission_override(self) -> bool | None:
        """See GatedCall.permission_override."""
        return self._bench.config.permission_overrides.get(self.name)

    @property
    def permission_timeout(self) -> timedelta | None:
        """See GatedCall.permission_timeout."""
        return self._bench.limits.permission_timeout

    @property
    def timeout(self) -> timedelta | None:
        """See ToolCall.timeout."""
        return self._tool.timeout

    @property
    def retries(self) -> int:
        """See ToolCall.retries."""
        return self._tool.retries

    async def emit(self, event: Event) -> None:
        """See ToolCall.emit."""
        await self._bench.hand.emit(event)

    def new_request_id(self) -> str:
        """See GatedCall.new_request_id."""
        return self._bench.runtime.ids.request()

    async def prepare(self) -> None:
        """Ask for permission, if that is needed; the answer is waited for in `finish`.

        Raises:
            RunLost: the run was cut off inside of the call, and it must not be made twice.
        """
        if self._step is not None and self._step.result is not None:
            return
        if self._step is not None and not self._tool.safe_to_retry and not self._waits():
            raise RunLost.inside(self.name)
        if self._tool.check is not None:
            try:
                self._tool.check(self.arguments)
            except AgentError as error:
                # Nobody is asked to allow a call that cannot be made.
                self._refused = error
                return
        # What is not there now may have been when the question was asked, which waits for its answer all the same.
        self._was_gated = not self._tool.is_there and self._step is None and self._asked()
        self._gate = await _PERMISSIONS.open_gate(self)

    async def finish(self, told: Callable[[ToolOutcome], None] | None = None) -> ToolOutcome:
        """Wait for permission, make the call, and tell what it came to; returns when that is stored."""
        outcome = await self._finish()
        if told is not None:
            told(outcome)
        return outcome

    async def _finish(self) -> ToolOutcome:
        if self._step is not None and self._step.result is not None:
            return self._outcome(msgspec.json.decode(self._step.result, type=ToolResult))
        verdict = Verdict(approved=True) if self._gate is None else await self._gate()
        result = await self._result(verdict)
        await self._tell(result)
        return self._outcome(result)

    def _waits(self) -> bool:
        """Say whether a call that was begun before a crash had done nothing yet but ask somebody."""
        if self._is_left:
            return True
        # The question came from inside of the call: where it is asked before the call, nothing is begun yet.
        self._needs_permission = self._asked()
        return self._needs_permission

    def _asked(self) -> bool:
        """Say whether a permission was asked for before a crash, and not given."""
        asked, verdict = self.steps.inside(self._decision_key).is_begun(), self.verdict()
        return asked and (verdict is None or not verdict.approved)

    @property
    def _is_left(self) -> bool:
        return self.steps.inside(self._left_key).is_begun()

    async def _result(self, verdict: Verdict) -> ToolResult:
        if not verdict.approved:
            return ToolResult(text=verdict.told, result_type=ResultType.DENIED)
        if self._is_left:
            return await self._leave_to_client()
        try:
            return await self._make()
        except LeftToClient:
            return await self._leave_to_client()
        except PermissionNeeded:
            if self._gate is not None:
                return error_result(f"The tool {self.name} wants a permission that it has.")
            self._needs_permission = True
        self._gate = await _PERMISSIONS.open_gate(self)
        return await self._result(Verdict(approved=True) if self._gate is None else await self._gate())

    async def _leave_to_client(self) -> ToolResult:
        context = WorkContext(self._bench, self.steps.inside(self._left_key), call_id=self.call_id)
        description = self._tool.description
        return await invoke_client(self._bench, context, self.name, self.arguments, description=description)

    def verdict(self) -> Verdict | None:
        """See GatedCall.verdict."""
        logged = self._decision
        if logged is None or logged.result is None:
            return None
        return msgspec.json.decode(logged.result, type=Verdict)

    async def remembered(self) -> bool | None:
        """See GatedCall.remembered."""
        if self.steps.inside(self._decision_key).is_begun():
            # Asked before the crash: that question is still open, and its answer is the one that counts.
            return None
        return await self._choices.of(self.name)

    def ask(
        self, request: PermissionRequest, *, within: timedelta | None
    ) -> Callable[[], Awaitable[PermissionResponse]]:
        """See GatedCall.ask."""
        inside = self.steps.inside(self._decision_key)
        if self._was_gated:
            return self._bench.questions.again(inside, PermissionRequest, PermissionResponse)
        asked = self._by_whom(request)
        return self._bench.questions.open(inside, asked, PermissionResponse, within=within)

    async def decide(self, verdict: Verdict, event: Decision, *, remember: bool | None = None) -> None:
        """See GatedCall.decide."""
        run = self._bench.hand.lease.run
        changes: list[RunChange] = [
            BeginStep(run.id, self._decision_key),
            FinishStep(run.id, self._decision_key.place, msgspec.json.encode(verdict)),
        ]
        if remember is not None:
            changes.append(keep_choice(run.scope, self.name, approved=remember))
        placed = msgspec.structs.replace(self._by_whom(event), event_flow_id=self._bench.hand.turn.id)
        self._bench.hand.put(placed, *changes)

    def _by_whom(self, event: _Asking) -> _Asking:
        # Others of its batch may have been made meanwhile, which is not so where the runtime asks.
        return msgspec.structs.replace(event, source_name=_TOOL) if self._needs_permission else event

    async def _make(self) -> ToolResult:
        if self._refused is None:
            if not self._begun and self._tool.is_there:
                self._begun = True
                self._bench.hand.record(BeginStep(self._bench.hand.lease.run.id, self._key))
            # Known to the store before the tool has an effect: a crash must find that it was begun, and, where the
            # tool has asked for it itself, that it was allowed.
            await self._bench.hand.settle()

        tries = count(1)

        async def work() -> ToolResult:
            # Each try has steps of its own: what one that failed has done is no part of the next one's work.
            steps = self.steps.of_try(next(tries))
            if self._refused is not None:
                raise self._refused
            permitted = self._gate is not None
            context = WorkContext(self._bench, steps, call_id=self.call_id, is_permitted=permitted)
            return to_result(await self._tool.work(context, dict(self.arguments)))

        formatting = ErrorFormatting(detailed=self._bench.limits.detailed_errors)
        layers: list[ToolLayer] = [self._bench.budget, _RETRY, _TIMEOUT, formatting]
        made: ToolResult = await compose([partial(layer.around_tool_call, self) for layer in layers], work)()
        return made

    async def _tell(self, result: ToolResult) -> None:
        hand = self._bench.hand
        run_id, call = hand.lease.run.id, self._call
        step: list[RunChange] = [] if self._begun else [BeginStep(run_id, self._key)]
        step.append(FinishStep(run_id, self._key.place, msgspec.json.encode(result)))
        hand.put(
            ToolCallResult(
                call_id=call.call_id,
                result=result,
                tool_harness_name=self._tool.harness,
                call_type=self._tool.call_type,
                name=call.name,
                message_id=self._message.id,
            )
        )
        hand.put(ToolCallEnd(call_id=call.call_id, **self._flow()), *step)
        await hand.settle()

    def _flow(self) -> Flow:
        started = self._bench.hand.unfinished.calls.get(self.call_id)
        return {} if started is None else flow_of(started)

    def _outcome(self, result: ToolResult) -> ToolOutcome:
        return ToolOutcome(self._call.call_id, self._call.name, result)
