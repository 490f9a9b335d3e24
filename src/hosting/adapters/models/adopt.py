"""Agents of pydantic-ai in people's own code, found and hosted as they are."""

import sys
from typing import Any

from hosting.ports.agents import Agent


def is_model_agent(value: Any) -> bool:
    """Say whether a value is an agent of pydantic-ai; whoever has none has not imported it."""
    library = sys.modules.get("pydantic_ai.agent")
    return library is not None and isinstance(value, library.AbstractAgent)


def adopt(agent_id: str, value: Any) -> Agent:
    """Return an agent of pydantic-ai as one that can be hosted."""
    from hosting.adapters.models.agent import ModelAgent  # noqa: PLC0415 - pydantic-ai is an extra

    return ModelAgent(agent_id, value)
