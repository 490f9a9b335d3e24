"""Agents out of configs."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from events.ids import AgentId
from hosting.domain.definition import AgentConfig, Runtime
from hosting.domain.errors import ConfigRefused
from hosting.domain.named_credentials import check_credentials
from hosting.domain.reach import check_reach
from hosting.domain.toolset_config import Leave
from hosting.ports.agents import NO_KEYS, Agent, AgentBuilder, Keys
from hosting.runtime.middlewares import limits_of_config

_NO_BUILDER: Final = "This server has no models: install them with `pip install branchline[models]`"
_NO_LEAVE: Final = Leave(commands=False, endpoints=False, files=False)
_OF_OPERATOR: Final = Keys(of_server=True, known=frozenset())
_OF_WORKERS: Final = {
    "priority": "priority",
    "furtherInputs": "further_inputs",
}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Builds agents with the tools that the server has; without a builder it can only say what would be missing.

    `leave` is what clients may say that reaches beyond the server.
    """

    builder: AgentBuilder | None = None
    tools: Collection[str] = field(default_factory=tuple)
    leave: Leave = _NO_LEAVE

    def build(
        self, agent_id: AgentId, name: str, config: AgentConfig, keys: Keys = NO_KEYS, *, by_operator: bool = False
    ) -> Agent | None:
        """Return an agent, or None when its runs are for workers; not to be called on the event loop.

        `name` is what it is called when the config does not say. One that is `by_operator` is for every tenant: which
        credentials it will have, nobody knows yet.

        Raises:
            ConfigRefused: there can be no such agent.
        """
        limits = limits_of_config(config, by_operator=by_operator)
        # Before anything else: what is stored for workers is no more trustworthy than what is built here.
        check_reach(config, Leave() if by_operator else self.leave)
        check_credentials(config, None if by_operator else keys.known)
        if config.runtime is Runtime.WORKER:
            return None
        for member, attribute in _OF_WORKERS.items():
            if getattr(config, attribute) is not None:
                raise ConfigRefused(f"/{member}", 'This is for agents with `runtime: "worker"` alone')
        if config.work_type is not None and not (config.clients.chat and config.clients.chat.candidates):
            raise ConfigRefused("/workType", 'This is for agents with `runtime: "worker"`, or with candidates')
        for place, tool in enumerate(config.tools):
            if tool not in self.tools:
                raise ConfigRefused(f"/tools/{place}", f"This server has no tool {tool!r}{self._those_there_are()}")
        if self.builder is None:
            raise ConfigRefused("/clients", _NO_BUILDER)
        named = replace(config, name=config.name or name)
        return self.builder.build(agent_id, named, limits, _OF_OPERATOR if by_operator else keys)

    def _those_there_are(self) -> str:
        return f"; it has {', '.join(sorted(self.tools))}" if self.tools else ""
