"""The agents of this server, by id."""

from collections.abc import Mapping

from events.ids import AgentId
from hosting.domain.errors import AgentMissing
from hosting.ports.agents import Agent


class Agents:
    """Finds the agent that answers under an id; `default` answers under every other one, when there is one."""

    def __init__(self, agents: Mapping[str, Agent], default: Agent | None = None) -> None:
        self._agents = dict(agents)
        self._default = default

    def get(self, agent_id: AgentId) -> Agent:
        """Return an agent.

        Raises:
            AgentMissing: none answers under that id.
        """
        agent = self._agents.get(agent_id, self._default)
        if agent is None:
            raise AgentMissing(agent_id)
        return agent

    def ids(self) -> list[str]:
        """Return the ids that agents were registered under."""
        return list(self._agents)
