"""What a definition may say of its toolsets, and what is shown of it."""

from typing import Any, Final

import msgspec
import pytest

from hosting.adapters.models.toolsets import toolsets_of
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.toolset_config import Leave, check_toolsets

CLIENTS: Final = Leave(commands=False, endpoints=False, files=False)
TRUSTED: Final = Leave(commands=True, endpoints=True, files=False)
FILES: Final = Leave()
COMMAND: Final = {"name": "time", "command": "time-server"}
URL: Final = {"name": "time", "url": "https://time.example/mcp"}
SPEC: Final = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a"}, "put": {"operationId": "b"}}}}
SERVICE: Final = {"name": "pets", "baseUrl": "https://pets.example/v1", "spec": SPEC}


def _config(**members: Any) -> AgentConfig:
    return msgspec.convert(members, AgentConfig)


def _use(config: AgentConfig, leave: Leave) -> None:
    check_toolsets(config.toolsets, config.mcp_servers, config.open_api, leave=leave)
    toolsets_of(config, environment={"TOKEN": "t"})


def _refused(leave: Leave, **members: Any) -> str:
    config = _config(**members)
    with pytest.raises(ConfigRefused) as refused:
        _use(config, leave)
    return refused.value.pointer


@pytest.mark.parametrize(
    ("leave", "server", "pointer"),
    [
        (FILES, {"name": "time"}, ""),
        (FILES, {**COMMAND, **URL}, ""),
        (FILES, {**COMMAND, "startCollapsed": True}, "/description"),
        (FILES, {**COMMAND, "headers": {"A": "b"}}, "/headers"),
        (FILES, {**COMMAND, "environment": ["NONE"]}, "/environment/0"),
        (FILES, {**COMMAND, "args": ["\x00"]}, "/command"),
        (FILES, {**URL, "args": ["b"]}, "/args"),
        (FILES, {**URL, "url": "file:///etc/passwd"}, "/url"),
        (FILES, {**URL, "url": "https://"}, "/url"),
        (FILES, {**URL, "url": "https://user:word@time.example"}, "/url"),
        (FILES, {**URL, "url": "https://time.example/mcp?key=***"}, "/url"),
        (FILES, {**URL, "headerVariables": {"A~b": "NONE"}}, "/headerVariables/A~0b"),
        (FILES, {**URL, "headers": {"A": "***"}}, "/headers"),
        (CLIENTS, COMMAND, "/command"),
        (CLIENTS, URL, "/url"),
        (TRUSTED, {**COMMAND, "environment": {"A": "b"}}, "/environment"),
        (TRUSTED, {**URL, "headerVariables": {"A": "TOKEN"}}, "/headerVariables"),
    ],
)
def test_an_mcp_server_is_refused_at_the_member_that_is_to_blame(
    leave: Leave, server: dict[str, Any], pointer: str
) -> None:
    assert f"/mcpServers/0{pointer}" == _refused(leave, mcpServers=[server])


@pytest.mark.parametrize(
    ("leave", "service", "pointer"),
    [
        (FILES, {"name": "pets", "baseUrl": "https://pets.example"}, ""),
        (FILES, {**SERVICE, "specFile": "a.json"}, ""),
        (FILES, {**SERVICE, "spec": None, "specFile": "no-such-file.json"}, "/specFile"),
        (FILES, {**SERVICE, "baseUrl": "https://pets.example/?a=b"}, "/baseUrl"),
        (FILES, {**SERVICE, "operations": ["c"]}, "/operations/0"),
        (FILES, {**SERVICE, "operations": []}, "/operations"),
        (FILES, {**SERVICE, "requiresPermission": ["a", "c"]}, "/requiresPermission/1"),
        (FILES, {**SERVICE, "spec": {"swagger": "2.0"}}, "/spec"),
        (FILES, {**SERVICE, "spec": {**SPEC, "paths": {"/a": {"$ref": "#/b"}}}}, "/spec"),
        (FILES, {**SERVICE, "startCollapsed": True}, "/description"),
        (CLIENTS, SERVICE, "/baseUrl"),
        (TRUSTED, {**SERVICE, "spec": None, "specFile": "a.json"}, "/specFile"),
        (TRUSTED, {**SERVICE, "headerVariables": {"A": "TOKEN"}}, "/headerVariables"),
    ],
)
def test_a_service_is_refused_at_the_member_that_is_to_blame(
    leave: Leave, service: dict[str, Any], pointer: str
) -> None:
    assert f"/openApi/0{pointer}" == _refused(leave, openApi=[service])


def test_a_group_is_of_tools_that_the_server_has_and_the_agent_has_not() -> None:
    group = {"name": "games", "tools": ["roll"]}

    assert _refused(CLIENTS, toolsets=[group]) == "/toolsets/0/tools/0"
    assert _refused(CLIENTS, toolsets=[{**group, "startCollapsed": True}]) == "/toolsets/0/description"


def test_toolsets_whose_tools_could_be_mistaken_for_each_others_are_refused() -> None:
    for other in ("time", "time_zones"):
        service = {**SERVICE, "name": other}

        assert _refused(FILES, mcpServers=[COMMAND], openApi=[service]) == "/openApi/0/name"
        assert _refused(FILES, mcpServers=[{**COMMAND, "name": other}, URL]) == "/mcpServers/1/name"


def test_what_may_be_a_key_is_not_shown() -> None:
    config = _config(
        mcpServers=[
            {**COMMAND, "environment": {"A": "tell-nobody"}},
            {
                **URL,
                "name": "other",
                "url": "https://time.example/mcp?key=tell-nobody",
                "headers": {"A": "tell-nobody"},
            },
        ],
        openApi=[{**SERVICE, "headers": {"A": "tell-nobody"}}],
    )

    shown = msgspec.json.encode([*(each.masked() for each in config.mcp_servers), config.open_api[0].masked()])

    assert b"tell-nobody" not in shown
    assert shown.count(b"***") == 4
