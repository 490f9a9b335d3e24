"""What a run of an agent is allowed: the agent's own limits, where its runConfig does not say otherwise."""

from dataclasses import replace

from hosting.domain.run_config import RunConfig
from hosting.ports.agents import NO_LIMITS, Agent, Limited, Limits


def limits_of(agent: Agent, config: RunConfig) -> Limits:
    """Return the limits of a run."""
    own = agent.limits if isinstance(agent, Limited) else NO_LIMITS
    return replace(
        own,
        permission_timeout=config.permission_timeout or own.permission_timeout,
        continuation_timeout=config.continuation_timeout or own.continuation_timeout,
        clarification_timeout=config.clarification_timeout or own.clarification_timeout,
        client_tool_timeout=config.client_tool_timeout or own.client_tool_timeout,
        run_timeout=config.run_timeout or own.run_timeout,
    )
