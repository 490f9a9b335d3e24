"""Agents of pydantic-ai in people's own code, found and hosted as they are or as their authors say."""

import sys
from typing import Any

from events.ids import is_client_id, is_name
from hosting.adapters.models.deps import Deps
from hosting.ports.agents import MODEL_LIMITS, Agent, Limits
from middleware.compaction_policy import CompactionPolicy


def is_model_agent(value: Any) -> bool:
    """Say whether a value is an agent of pydantic-ai; whoever has none has not imported it."""
    library = sys.modules.get("pydantic_ai.agent")
    return library is not None and isinstance(value, library.AbstractAgent)


def made_of(value: Any) -> tuple[object, ...]:
    """Return the agent of pydantic-ai's, and the maker of its deps, that an Agent of ours consists of."""
    ours = sys.modules.get("hosting.adapters.models.agent")
    return (value.wrapped, value.deps) if ours is not None and isinstance(value, ours.ModelAgent) else ()


def adopt(agent_id: str, value: Any) -> Agent:
    """Return an agent of pydantic-ai as one that can be hosted.

    Raises:
        AgentRefused: it needs deps.
    """
    from hosting.adapters.models.agent import ModelAgent  # noqa: PLC0415 - pydantic-ai is an extra

    return ModelAgent(agent_id, value)


def model_agent(
    agent: Any,
    agent_id: str | None = None,
    /,
    *,
    name: str | None = None,
    deps: Deps | None = None,
    limits: Limits = MODEL_LIMITS,
    compaction: CompactionPolicy | None = None,
) -> Agent:
    """Host an agent of pydantic-ai with deps and limits of its own.

    `deps` takes the context of each run and returns the run's deps; it may be async. The id is the agent's own name,
    if none is said. `compaction` says when its history is compacted; its own model makes the summaries.

    Raises:
        TypeError: it is no agent of pydantic-ai's, or `deps` cannot be called.
        ValueError: there is no id, it cannot stand in a path, or the name cannot be stored.
        AgentRefused: the agent needs deps, and there is nothing that makes them.
    """
    from hosting.adapters.models.agent import ModelAgent  # noqa: PLC0415 - pydantic-ai is an extra

    if not is_model_agent(agent):
        raise TypeError(f"{agent!r:.100} is no agent of pydantic-ai's.")
    if deps is not None and not callable(deps):
        raise TypeError(f"The deps {deps!r:.100} must be a function that takes the run's context and returns the deps.")
    chosen = agent.name if agent_id is None else agent_id
    if chosen is None:
        raise ValueError("The agent has no name: say its id, as in hosting.model_agent(agent, 'its-id').")
    if not is_client_id(chosen):
        raise ValueError(f"The agent id {chosen!r:.100} must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    if name is not None and not is_name(name):
        raise ValueError(f"The agent name {name!r:.100} holds a NUL or half a surrogate pair.")
    return ModelAgent(chosen, agent, name=name, deps=deps, limits=limits, compaction=compaction)
