"""What a definition may say of its toolsets, and what is shown of it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pytest

from hosting.adapters.models.toolsets import toolsets_of
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.reach import check_reach
from hosting.domain.sealed import read_secret
from hosting.domain.toolset_config import Leave
from hosting.ports.tools import Tool, ToolContext

CLIENTS: Final = Leave(commands=False, endpoints=False, files=False)
TRUSTED: Final = Leave(commands=True, endpoints=True, files=False)
FILES: Final = Leave()
COMMAND: Final = {"name": "time", "command": "time-server"}
URL: Final = {"name": "time", "url": "https://time.example/mcp"}
QUERY: Final = {"name": "q", "in": "query"}
SPEC: Final = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a"}, "put": {"operationId": "b"}}}}
FOLD: Final = {"name": "roll", "startCollapsed": True, "description": "Rolls."}
FOLDED: Final = {**FOLD, "tools": ["roll"]}
SERVICE: Final = {"name": "pets", "baseUrl": "https://pets.example/v1", "spec": SPEC}


MISSHAPEN: Final[list[tuple[Any, str]]] = [
    ([], ""),
    ({"/a": 1}, "/~1a"),
    ({"/a": {"get": []}}, "/~1a/get"),
    ({"/a": {"parameters": {}, "get": {}}}, "/~1a/parameters"),
    ({"/a": {"get": {"parameters": [1]}}}, "/~1a/get/parameters/0"),
    ({"/a": {"get": {"parameters": [{"name": "q", "in": "body"}]}}}, "/~1a/get/parameters/0"),
    ({"/a": {"get": {"parameters": [{**QUERY, "content": 1}]}}}, "/~1a/get/parameters/0/content"),
    (
        {"/a": {"get": {"parameters": [{**QUERY, "content": {"application/json": 5}}]}}},
        "/~1a/get/parameters/0/content/application~1json",
    ),
    ({"/a": {"get": {"parameters": [{**QUERY, "style": ["form"]}]}}}, "/~1a/get/parameters/0/style"),
    ({"/a": {"get": {"parameters": [{**QUERY, "schema": 1}]}}}, "/~1a/get/parameters/0/schema"),
    ({"/a": {"get": {"parameters": [{**QUERY, "schema": {"properties": [1]}}]}}}, "/~1a/get"),
    ({"/a": {"put": {"requestBody": 1}}}, "/~1a/put/requestBody"),
    ({"/a": {"put": {"requestBody": {"content": {"a/b+json": 1}}}}}, "/~1a/put/requestBody/content/a~1b+json"),
]


def _config(**members: Any) -> AgentConfig:
    return msgspec.convert(members, AgentConfig, dec_hook=read_secret)


def _use(config: AgentConfig, leave: Leave) -> None:
    check_reach(config, leave)
    toolsets_of(config, [Tool(name, _nothing) for name in ("roll", "bet")], environment={"TOKEN": "t"})


async def _nothing(context: ToolContext, arguments: Mapping[str, Any]) -> None:
    """Do nothing."""


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
        *((FILES, {**SERVICE, "spec": {**SPEC, "paths": paths}}, f"/spec/paths{place}") for paths, place in MISSHAPEN),
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
    group = {"name": "games", "tools": ["dance"]}

    assert _refused(CLIENTS, toolsets=[group]) == "/toolsets/0/tools/0"
    assert _refused(CLIENTS, toolsets=[{**group, "startCollapsed": True}]) == "/toolsets/0/description"


@pytest.mark.parametrize(
    ("pointer", "members"),
    [
        ("/toolsets/0/tools/1", {"tools": ["bet"], "toolsets": [{"name": "a", "tools": ["roll", "bet"]}]}),
        ("/toolsets/1/tools/0", {"toolsets": [{"name": "a", "tools": ["roll"]}, {"name": "b", "tools": ["roll"]}]}),
        ("/toolsets/0/name", {"tools": ["bet"], "toolsets": [{**FOLDED, "name": "bet"}]}),
        ("/toolsets/0/name", {"toolsets": [{**FOLDED, "tools": ["bet"]}, {"name": "a", "tools": ["roll"]}]}),
        ("/toolsets/0/name", {"toolsets": [FOLDED]}),
        ("/openApi/0/name", {"toolsets": [{"name": "a", "tools": ["roll"]}], "openApi": [{**SERVICE, **FOLD}]}),
    ],
)
def test_no_two_tools_of_an_agent_are_called_the_same(pointer: str, members: dict[str, Any]) -> None:
    assert pointer == _refused(FILES, **members)


def test_toolsets_whose_tools_could_be_mistaken_for_each_others_are_refused() -> None:
    for other in ("time", "time_zones"):
        service = {**SERVICE, "name": other}

        assert _refused(FILES, mcpServers=[COMMAND], openApi=[service]) == "/openApi/0/name"
        assert _refused(FILES, mcpServers=[{**COMMAND, "name": other}, URL]) == "/mcpServers/1/name"

    between = [{"name": name, "tools": []} for name in ("time", "time-a", "timea", "times_b", "time_c")]
    assert _refused(FILES, toolsets=between) == "/toolsets/4/name"


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

    shown = config.shown()

    assert b"tell-nobody" not in shown
    assert shown.count(b"***") == 4


@pytest.mark.parametrize(
    ("member", "most", "element"),
    [
        ("tools", 256, "roll"),
        ("toolsets", 64, {"name": "a", "tools": []}),
        ("mcpServers", 32, COMMAND),
        ("openApi", 32, SERVICE),
    ],
)
def test_a_config_is_refused_for_the_number_of_its_toolsets(member: str, most: int, element: Any) -> None:
    assert _config(**{member: [element] * most})

    with pytest.raises(msgspec.ValidationError, match=f"length <= {most} - at `\\$.{member}`"):
        _config(**{member: [element] * (most + 1)})


def test_only_the_operations_that_are_named_are_read() -> None:
    many = {f"/{number}": {"put": {"parameters": [1]}} for number in range(600)}
    spec = {**SPEC, "paths": {**many, "/a": {"get": {"operationId": "a"}}}}

    _use(_config(openApi=[{**SERVICE, "spec": spec, "operations": ["a", "a"], "requiresPermission": ["put_7"]}]), FILES)

    assert _refused(FILES, openApi=[{**SERVICE, "spec": spec}]) == "/openApi/0/operations"
    assert _refused(FILES, openApi=[{**SERVICE, "spec": spec, "operations": ["put_7"]}]).startswith("/openApi/0/spec/")


def test_documents_that_refer_to_much_again_and_again_are_refused() -> None:
    body = {"content": {"application/json": {"schema": {"$ref": "#/large"}}}}
    paths = {f"/{number}": {"put": {"requestBody": body}} for number in range(100)}
    large = {"properties": {str(number): {} for number in range(200)}}
    spec = {**SPEC, "paths": paths, "large": large}
    services = [{**SERVICE, "name": f"pets{number}", "spec": spec} for number in range(20)]

    _use(_config(openApi=services[:1]), FILES)

    assert _refused(FILES, openApi=services).endswith("/spec")
