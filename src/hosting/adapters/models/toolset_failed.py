"""How a toolset from elsewhere fails."""

from middleware.errors import AgentError


class ToolsetFailed(AgentError):
    """A server or a service of tools did not do what it should; the model is told, and the run goes on."""
