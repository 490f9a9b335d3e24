"""The toolsets that an agent's config describes, made."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic_ai.toolsets import AbstractToolset

from hosting.adapters.models.collapsed import Collapsed
from hosting.adapters.models.openapi_schema import Allowance
from hosting.adapters.models.tool_source import FixedTools, SourceToolset, ToolSource
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.toolset_config import McpServer, OpenApiTools, Toolset
from hosting.ports.tools import Tool

_NO_VARIABLE: Final = "There is no variable {name} in the server's environment."


def toolsets_of(
    config: AgentConfig, server_tools: Iterable[Tool] = (), *, environment: Mapping[str, str] = os.environ
) -> list[AbstractToolset[Any]]:
    """Make the toolsets of a config, without reaching out for anything; `server_tools` are what groups are made of.

    Raises:
        ConfigRefused: a tool, a variable, a file or an operation that it names is not there.
    """
    return [SourceToolset(source) for source in _sources(config, server_tools, environment)]


async def close_toolsets(toolsets: Iterable[AbstractToolset[Any]]) -> None:
    """Let go of what these toolsets hold: sessions, and processes that were started for them."""
    for toolset in toolsets:
        if isinstance(toolset, SourceToolset):
            await toolset.source.close()


def _sources(config: AgentConfig, server_tools: Iterable[Tool], environment: Mapping[str, str]) -> Iterator[ToolSource]:
    known = {tool.name: tool for tool in server_tools}
    _check_own_names(config)
    for at, toolset in enumerate(config.toolsets):
        yield _perhaps_collapsed(toolset, _group(f"/toolsets/{at}", toolset, known))
    for at, server in enumerate(config.mcp_servers):
        yield _perhaps_collapsed(server, _mcp(f"/mcpServers/{at}", server, environment))
    allowance = Allowance()
    for at, service in enumerate(config.open_api):
        yield _perhaps_collapsed(service, _open_api(f"/openApi/{at}", service, environment, allowance))


def _check_own_names(config: AgentConfig) -> None:
    """Make sure that no two of the server's own tools, and of those that stand for a toolset, are called the same."""
    named = set(config.tools)
    for at, group in enumerate(config.toolsets):
        for place, name in enumerate(group.tools):
            if name in named:
                raise ConfigRefused(f"/toolsets/{at}/tools/{place}", f"The agent has the tool {name} already.")
        named |= set(group.tools)
    described: Mapping[str, Iterable[Toolset | McpServer | OpenApiTools]] = {
        "toolsets": config.toolsets,
        "mcpServers": config.mcp_servers,
        "openApi": config.open_api,
    }
    for member, toolsets in described.items():
        for at, toolset in enumerate(toolsets):
            if toolset.start_collapsed and toolset.name in named:
                raise ConfigRefused(f"/{member}/{at}/name", f"There is a tool called {toolset.name}.")


def _perhaps_collapsed(described: Toolset | McpServer | OpenApiTools, source: ToolSource) -> ToolSource:
    return Collapsed(source, described.description or "") if described.start_collapsed else source


def _group(pointer: str, toolset: Toolset, known: Mapping[str, Tool]) -> ToolSource:
    for at, name in enumerate(toolset.tools):
        if name not in known:
            raise ConfigRefused(f"{pointer}/tools/{at}", f"This server has no tool {name!r:.100}.")
    return FixedTools(toolset.name, [known[name] for name in dict.fromkeys(toolset.tools)])


def _mcp(pointer: str, server: McpServer, environment: Mapping[str, str]) -> ToolSource:
    # Only here: whoever uses no MCP server does not wait for its library.
    from hosting.adapters.models.mcp import McpTools  # noqa: PLC0415

    if not isinstance(server.environment, dict):
        for at, name in enumerate(server.environment):
            _check_variable(f"{pointer}/environment/{at}", name, environment)
    _check_header_variables(pointer, server, environment)
    return McpTools(server, environment)


def _open_api(pointer: str, service: OpenApiTools, environment: Mapping[str, str], allowance: Allowance) -> ToolSource:
    from hosting.adapters.models.openapi import ServiceTools  # noqa: PLC0415 - as above

    _check_header_variables(pointer, service, environment)
    return ServiceTools(service, environment, allowance, pointer=pointer)


def _check_header_variables(pointer: str, toolset: McpServer | OpenApiTools, environment: Mapping[str, str]) -> None:
    for header, name in toolset.header_variables.items():
        escaped = header.replace("~", "~0").replace("/", "~1")
        _check_variable(f"{pointer}/headerVariables/{escaped}", name, environment)


def _check_variable(pointer: str, name: str, environment: Mapping[str, str]) -> None:
    if name not in environment:
        raise ConfigRefused(pointer, _NO_VARIABLE.format(name=name))
