"""Functions that are nearly agents, and what they lack."""

import inspect
from typing import Any

from hosting.adapters.agents.function import is_run_context
from hosting.ports.agents import RunContext


def near_miss(function: Any) -> str:
    """Say what keeps a function from being hosted, when it takes about what an agent takes; else nothing."""
    if not inspect.isfunction(function):
        return ""
    parameters = inspect.signature(function).parameters.values()
    needed = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    if len(needed) != 1:
        return ""
    name, only = function.__name__, needed[0]
    is_bare = only.annotation is inspect.Parameter.empty
    if not inspect.iscoroutinefunction(function) and not inspect.isasyncgenfunction(function):
        meant = is_run_context(function, only) or (is_bare and only.name in {"context", "ctx"})
        return f"{name} is not async." if meant else ""
    if not is_bare:
        return f"{name} takes `{only}`, which is not hosting.RunContext." if RunContext.__name__ in str(only) else ""
    # Beside an agent of pydantic-ai's the name alone is not enough.
    remedy = "annotate it as `hosting.RunContext`" if only.name == "context" else "call it `context`"
    return f"{name} takes `{only}`; {remedy}."
