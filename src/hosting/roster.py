"""The agents that an application is started with, and what builds those that are defined later."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hosting.adapters.agents.demo import DemoAgent
from hosting.adapters.files.agent_files import read_agent_files
from hosting.adapters.models.build import ModelBuilder
from hosting.adapters.models.care import AsksProviders
from hosting.adapters.models.choice import ModelChoice, ModelRefused
from hosting.care import care_of
from hosting.domain.errors import AgentFileRefused, ConfigRefused
from hosting.domain.model_config import check_endpoint
from hosting.domain.toolset_config import Leave
from hosting.hostable import as_agent
from hosting.ports.agents import Agent
from hosting.ports.tools import Tool
from hosting.runtime.agents import Registered, Source
from hosting.runtime.workshop import Workshop
from hosting.settings import Settings, SettingsRefused

ASSISTANT: Final = "assistant"
"""Who answers with the model of the settings."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The agents by their ids, the one that answers under all others, and the workshop that builds further ones.

    `tools` are those that definitions and runs can name. `builder` is to be closed with the application.
    """

    registered: Mapping[str, Registered]
    default: Registered | None
    workshop: Workshop
    builder: ModelBuilder
    tools: Mapping[str, Tool]


def roster_of(agents: Mapping[str, object], settings: Settings, tools: Iterable[Tool]) -> Roster:
    """Return the given agents, the demo agent, that of the settings' model, and those that are defined in files.

    Raises:
        TypeError: what is given as an agent is none.
        AgentRefused: an agent of pydantic-ai's needs deps.
        SettingsRefused: the default agent is none of the agents, two tools have the same name, or the model of the
            settings cannot be used.
        AgentFileRefused: a definition in a file cannot be taken.
    """
    known: dict[str, Agent] = {"demo": DemoAgent()}
    known |= {agent_id: as_agent(agent_id, given) for agent_id, given in agents.items()}
    care, named = care_of(settings), _by_name(tools)
    builder = ModelBuilder(care, named)
    known |= _assistant(settings, builder, known)
    for agent in known.values():
        if isinstance(agent, AsksProviders):
            agent.ask_with(care)
    leave = Leave(settings.client_commands, settings.client_endpoints, files=False)
    workshop = Workshop(builder if builder.is_possible() else None, named, leave)
    registered = {agent_id: Registered(agent.name, agent) for agent_id, agent in known.items()}
    registered |= dict(_from_files(settings, workshop, registered.keys()))
    default = registered.get(settings.default_agent) if settings.default_agent else None
    if settings.default_agent and default is None:
        raise SettingsRefused(f"The default agent {settings.default_agent!r} is none of {', '.join(registered)}.")
    return Roster(registered, default, workshop, builder, named)


def _assistant(settings: Settings, builder: ModelBuilder, known: Mapping[str, Agent]) -> dict[str, Agent]:
    """Build the agent that the setting `model` asks for, if it does."""
    if settings.model is None:
        for name in ("model_base_url", "model_instructions"):
            if getattr(settings, name) is not None:
                raise SettingsRefused(f"The setting {name} is for a model, and there is none: set model too.")
        return {}
    if ASSISTANT in known:
        raise SettingsRefused(f"There is an agent {ASSISTANT!r} already; the setting model would be another one.")
    if settings.model_base_url is not None and (wrong := check_endpoint(settings.model_base_url)):
        raise SettingsRefused(f"The setting model_base_url {wrong}.")
    try:
        choice = ModelChoice.parse(settings.model, settings.model_base_url)
        return {ASSISTANT: builder.build_assistant(ASSISTANT, choice, settings.model_instructions)}
    except ModelRefused as error:
        raise SettingsRefused(f"The setting model cannot be used: {error}") from error


def _from_files(settings: Settings, workshop: Workshop, taken: Iterable[str]) -> Iterator[tuple[str, Registered]]:
    """Build the agents that lie in files; they are the operator's, as those in code are."""
    for file in read_agent_files(Path(settings.agents_folder)):
        if file.agent_id in taken:
            raise AgentFileRefused(file.path, f"there is an agent {file.agent_id!r} already.")
        name = file.config.name or file.agent_id
        try:
            agent = workshop.build(file.agent_id, name, file.config, by_operator=True)
        except ConfigRefused as error:
            raise AgentFileRefused(file.path, str(error)) from error
        yield file.agent_id, Registered(name, agent, Source.FILE, file.config.terms)


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    named: dict[str, Tool] = {}
    for tool in tools:
        if named.setdefault(tool.name, tool) is not tool:
            raise SettingsRefused(f"Two tools are named {tool.name!r}.")
    return named
