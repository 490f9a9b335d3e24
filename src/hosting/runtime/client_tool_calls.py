"""Tools of the client, as tools that a run can call."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from events.client_tools import (
    ClientTool,
    ClientToolGroupsRegistered,
    ClientToolHarness,
    ClientToolInput,
    ClientToolInvokeRequest,
    ClientToolInvokeResponse,
)
from events.tools import CallType, ToolResult
from hosting.domain.step import StepKind
from hosting.ports.tools import Tool, ToolContext
from hosting.ports.units import BeginStep, FinishStep, KeepState
from hosting.runtime.bench import Bench
from hosting.runtime.steps import Steps
from hosting.runtime.work_context import WorkContext
from middleware.client_tools.augment import augment
from middleware.client_tools.begin import begin
from middleware.client_tools.refusal import ClientToolInputRefused
from middleware.client_tools.result import result_of, timeout_result
from middleware.client_tools.state import ClientToolState
from middleware.client_tools.tell import expand, skill_text, system_prompts
from middleware.client_tools.visible import VisibleTool, find, registered, visible
from middleware.errors import ClientToolsRefused, RequestExpired

CLIENT_TOOLS: Final = "clientTools"
_SOURCE: Final = "ClientTools"


async def register_client_tools(bench: Bench, steps: Steps, given: ClientToolInput) -> None:
    """Take what the input says of the client's tools, once, and tell it."""
    run = bench.hand.lease.run
    key = steps.next_key(StepKind.WORK, "client tools", given)
    before = await _load(bench)
    if steps.logged(key) is not None:
        bench.client_tools.state = before
        return
    try:
        state = begin(before, given)
    except ClientToolInputRefused as error:
        raise ClientToolsRefused(str(error)) from error
    bench.client_tools.state = state
    told = ClientToolGroupsRegistered(
        registered_tool_harnesses=tuple(harness.name for harness in state.harnesses),
        total_tools=sum(len(harness.tools) for harness in state.harnesses),
        event_flow_id=bench.hand.turn.id,
    )
    kept = KeepState(run.scope, of_branch=True, name=CLIENT_TOOLS, value=msgspec.json.encode(state))
    bench.hand.put(told, BeginStep(run.id, key), FinishStep(run.id, key.place, b"true"), kept)


async def visible_client_tools(bench: Bench) -> list[VisibleTool]:
    """Return what the client offers now."""
    return visible(await _state(bench))


async def client_instructions(bench: Bench) -> list[str]:
    """Return the system prompts that come with what the client offers now."""
    return system_prompts(await _state(bench))


async def client_tool(bench: Bench, name: str, *, is_begun: bool) -> Tool | None:
    """Return a tool that calls the client's, if it offers one of that name now; or did, when the call was begun."""
    find_it = registered if is_begun else find
    found = find_it(await _state(bench), name)
    if found is None:
        return None

    async def work(context: ToolContext, arguments: Mapping[str, Any]) -> ToolResult | str:
        if isinstance(found.means, ClientTool):
            return await invoke_client(bench, context, found.name, arguments, description=found.description)
        if isinstance(found.means, ClientToolHarness):
            _, told = expand(await _state(bench), name)
            await _keep(bench, context, lambda state: expand(state, name)[0], by=name)
            return told
        return skill_text(found.means)

    is_tool = isinstance(found.means, ClientTool)
    return Tool(
        name,
        work,
        description=found.description,
        requires_permission=isinstance(found.means, ClientTool) and bool(found.means.requires_permission),
        # Asked once, and answered once, however often the run begins again.
        safe_to_retry=True,
        call_type=CallType.FUNCTION if is_tool else CallType.SKILL,
        harness=found.harness_name,
    )


async def invoke_client(
    bench: Bench, context: ToolContext, name: str, arguments: Mapping[str, Any], *, description: str | None
) -> ToolResult:
    """Let the client make a call, and return what it came to."""
    request = ClientToolInvokeRequest(
        request_id=context.new_request_id(),
        source_name=_SOURCE,
        tool_name=name,
        call_id=context.call_id or "",
        arguments=dict(arguments),
        description=description,
    )
    within: timedelta | None = bench.limits.client_tool_timeout
    try:
        response = await context.request(request, ClientToolInvokeResponse, within=within)
    except RequestExpired:
        return timeout_result(name)
    if (told := response.augmentation) is not None:
        try:
            await _keep(bench, context, lambda state: augment(state, told), by=told)
        except ClientToolInputRefused as error:
            raise ClientToolsRefused(str(error)) from error
    return result_of(response)


async def _state(bench: Bench) -> ClientToolState:
    if bench.client_tools.state is None:
        bench.client_tools.state = await _load(bench) or ClientToolState()
    return bench.client_tools.state


async def _load(bench: Bench) -> ClientToolState | None:
    return decode_client_tools(await bench.state(CLIENT_TOOLS, of_branch=True))


def decode_client_tools(kept: bytes | None) -> ClientToolState | None:
    """Read what is kept of the client's tools under CLIENT_TOOLS."""
    return None if kept is None else msgspec.json.decode(kept, type=ClientToolState)


async def _keep(
    bench: Bench, context: ToolContext, change: Callable[[ClientToolState], ClientToolState], *, by: Any
) -> None:
    """Change what is kept, once; begun again, a run finds there what others have changed beside it, too."""
    if not isinstance(context, WorkContext):
        raise TypeError("a client's tool is called in a context of the runtime's")

    async def changed() -> ClientToolState:
        bench.client_tools.state = state = change(await _state(bench))
        return state

    await context.keep_as(CLIENT_TOOLS, changed, by=by)
