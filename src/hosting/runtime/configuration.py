"""Whether a run can be configured as its input says, on the branch as it is."""

import asyncio
from functools import partial
from typing import Final

from events.client_tools import ClientToolInput
from events.compaction import CompactionStrategy
from events.ids import AgentId
from hosting.domain.branch import Branch
from hosting.domain.errors import ConfigRefused, InvalidInput
from hosting.domain.model_config import ModelConfig, not_honoured
from hosting.domain.run_config import RunConfig, check_run_config
from hosting.domain.scope import TenantId
from hosting.ports.agents import Configurable
from hosting.ports.summaries import Summarizing
from hosting.runtime.agents import Engaged
from hosting.runtime.client_tool_calls import CLIENT_TOOLS, decode_client_tools
from hosting.runtime.compact import wish_of
from hosting.runtime.core import Runtime
from hosting.runtime.credentials import credential_names
from hosting.runtime.projects import project_of
from middleware.client_tools.begin import begin
from middleware.client_tools.refusal import ClientToolInputRefused

_TOO_LARGE_FOR_THE_LOOP: Final = 256 << 10


async def check_configuration(
    runtime: Runtime, branch: Branch, agent_id: AgentId, engaged: Engaged, config: bytes
) -> None:
    """Make sure of it before the input is accepted; what a worker's model is asked for, only the worker can judge.

    Raises:
        InvalidInput, RunConfigRefused: it cannot.
    """
    check = partial(check_run_config, config, client_endpoints=runtime.client_endpoints)
    given = check() if len(config) <= _TOO_LARGE_FOR_THE_LOOP else await asyncio.to_thread(check)
    if given.model is not None and engaged.terms is None:
        await _check_model(runtime, branch.scope.tenant, agent_id, engaged.version, given.model)
    if given.asks_for_compaction and engaged.terms is None:
        await _check_compaction(runtime, branch.scope.tenant, agent_id, engaged.version, given)
    if given.client_tool_input is not None:
        await _check_client_tools(runtime, branch, given.client_tool_input)


async def _check_model(
    runtime: Runtime, tenant: TenantId, agent_id: AgentId, version: int | None, config: ModelConfig
) -> None:
    try:
        agent = await runtime.agents.get(tenant, agent_id, version)
    except ConfigRefused:
        # The server was started anew with less than the definition needs: its run will say so, as it does without this.
        return
    if not isinstance(agent, Configurable):
        raise not_honoured(config.given[0], by=f"The agent {agent.name!r:.100}")
    credentials = await credential_names(runtime, tenant, project_of(agent)) if config.asks_for_model else frozenset()
    await agent.check_config(config, credentials)


async def _check_compaction(
    runtime: Runtime, tenant: TenantId, agent_id: AgentId, version: int | None, given: RunConfig
) -> None:
    try:
        agent = await runtime.agents.get(tenant, agent_id, version)
    except ConfigRefused:
        return
    wish = wish_of(agent, given)
    if wish is None or wish.policy.strategy is CompactionStrategy.WINDOW:
        return
    if not isinstance(agent, Summarizing) or not agent.can_summarize:
        name = "triggerCompaction" if given.compaction is None else "compaction"
        raise not_honoured(name, by=f"The agent {agent.name!r:.100}, which has nothing that summarises,")


async def _check_client_tools(runtime: Runtime, branch: Branch, given: ClientToolInput) -> None:
    kept = await runtime.run_reads.state(branch.key, branch.scope, [CLIENT_TOOLS], of_branch=True)
    earlier = decode_client_tools(kept.get(CLIENT_TOOLS))
    try:
        await asyncio.to_thread(begin, earlier, given)
    except ClientToolInputRefused as error:
        raise InvalidInput(str(error.below("runConfig.clientToolInput"))) from error
