"""What an agent of pydantic-ai's is given as its deps."""

import inspect
from collections.abc import Callable
from typing import Any, Final

from hosting.domain.errors import AgentRefused
from hosting.ports.agents import RunContext

Deps = Callable[[RunContext], Any]
"""Makes the deps of a run out of its context; it may be async."""

_NO_DEPS: Final = (object, type(None), Any)


def deps_by_type(agent_id: str, deps_type: Any) -> Deps:
    """Return what makes the deps of an agent whose author says nothing but their type.

    Raises:
        AgentRefused: nobody but the author can make them.
    """
    if deps_type is RunContext:
        return lambda context: context
    if deps_type in _NO_DEPS:
        return lambda context: None
    shown = getattr(deps_type, "__name__", str(deps_type))
    raise AgentRefused(
        f"The agent {agent_id!r:.100} needs deps of the type {shown:.100}: host it as hosting.model_agent(agent, "
        "deps=make), where make is a function that takes the run's context and returns them."
    )


async def make_deps(deps: Deps, context: RunContext) -> Any:
    """Return the deps of a run; whatever their maker raises ends the run as failed."""
    made = deps(context)
    return await made if inspect.isawaitable(made) else made
