"""What can be hosted as an agent."""

import inspect
from types import ModuleType
from typing import Any, Final, cast

from events.ids import is_client_id
from hosting.adapters.agents.function import FunctionAgent, is_agent_function
from hosting.adapters.models.adopt import adopt, is_model_agent
from hosting.ports.agents import Agent

HOW: Final = "decorate an async function with @hosting.agent, or make an agent of pydantic-ai's"


def is_hostable(value: Any) -> bool:
    """Say whether `as_agent` takes it."""
    return is_model_agent(value) or is_agent(value) or is_agent_function(value)


def is_agent(value: Any) -> bool:
    """Say whether something is an Agent as it stands: it has a `name` and an async `run`."""
    if isinstance(value, type | ModuleType):
        return False
    return isinstance(getattr(value, "name", None), str) and inspect.iscoroutinefunction(getattr(value, "run", None))


def as_agent(agent_id: str, value: Any) -> Agent:
    """Return an agent, an agent of pydantic-ai's, or an async function, as an agent that can be hosted.

    Raises:
        TypeError: it is none of these.
        AgentRefused: it is one of pydantic-ai's that needs deps.
    """
    if is_model_agent(value):
        return adopt(agent_id, value)
    if is_agent(value):
        return cast("Agent", value)
    if is_agent_function(value):
        return FunctionAgent(agent_id, value)
    raise TypeError(f"{value!r:.100} is no agent: it has no `name` and async `run`; {HOW}.")


def id_of(value: Any, bound: str) -> str:
    """Return the id that something hostable says of itself, else the name that it is bound to."""
    if is_model_agent(value):
        return value.name if isinstance(value.name, str) and is_client_id(value.name) else bound
    own = getattr(value, "agent_id", None)
    return own if isinstance(own, str) else bound
