"""Which project the work of an agent belongs to."""

from hosting.ports.agents import Agent, OfProject


def project_of(agent: Agent) -> str | None:
    """Return the project of an agent; None for one that says nothing of it."""
    said = agent.project_name if isinstance(agent, OfProject) else None
    return said if isinstance(said, str) else None
