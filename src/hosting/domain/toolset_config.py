"""Toolsets that an agent's config describes: MCP servers, services with an OpenAPI document, groups of own tools."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from hosting.domain.errors import ConfigRefused
from hosting.domain.secret import Secret

ToolsetName = Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
VariableName = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
HeaderName = Annotated[str, Meta(pattern="^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Text = Annotated[str, Meta(min_length=1, max_length=4096)]
Tools = Annotated[tuple[str, ...], Meta(max_length=256)]
Operations = Annotated[tuple[str, ...], Meta(max_length=512)]
Headers = Annotated[dict[HeaderName, Secret], Meta(max_length=64)]
HeaderVariables = Annotated[dict[HeaderName, VariableName], Meta(max_length=64)]

MASK: Final = "***"
_HIDDEN: Final = Secret(MASK)
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]{0,8192}")
_LONGEST_URL: Final = 4096
_NOT_SAID_BY_CLIENTS: Final = (
    "This server does not take {what} from clients; its operator may allow that, by the setting {setting}, or write "
    "the definition into a file."
)
_FILES_ONLY: Final = "Only a definition in a file of the server's operator can have this."


@dataclass(frozen=True, slots=True)
class Leave:
    """What a definition may say that reaches beyond the server: in a file everything, from clients by the settings."""

    commands: bool = True
    endpoints: bool = True
    files: bool = True


class Toolset(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """A group of the server's own tools.

    One that starts collapsed is a single tool, called as the toolset is, until the model has called that.
    """

    name: ToolsetName
    description: Text | None = None
    tools: Tools
    start_collapsed: bool = False


class McpServer(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """A server of the Model Context Protocol: a command that is started, or a URL.

    `environment` has the names of variables that the command is given, or, in files, their values too; it gets few
    others. The values of `headers` and of the query of `url` are secrets.
    `headerVariables` says of headers which variables have their values. `tools` are those that are used, all if
    it is absent; `requiresPermission` is for all, or names some, and then for all if the server lacks one of them.
    `timeoutSeconds` is how long a call may take, `startTimeoutSeconds` how long the server has to start, and to say
    which tools it has.
    """

    name: ToolsetName
    command: Text | None = None
    args: Annotated[tuple[str, ...], Meta(max_length=256)] = ()
    environment: (
        Annotated[tuple[VariableName, ...], Meta(max_length=256)]
        | Annotated[dict[VariableName, Secret], Meta(max_length=256)]
    ) = ()
    url: Secret | None = None
    headers: Headers = {}
    header_variables: HeaderVariables = {}
    requires_permission: bool | Tools = False
    start_collapsed: bool = False
    description: Text | None = None
    tools: Tools | None = None
    timeout_seconds: Seconds = 30.0
    start_timeout_seconds: Seconds = 30.0

    @property
    def open_url(self) -> str | None:
        """Its URL, if nothing in that is a secret."""
        url = None if self.url is None else self.url.reveal()
        return url if url is not None and masked_url(url) == url else None

    def masked(self) -> Self:
        """Return what may be shown of it: nothing that may be a key."""
        environment = self.environment
        if isinstance(environment, dict):
            environment = dict.fromkeys(environment, _HIDDEN)
        url = None if self.url is None else Secret(masked_url(self.url.reveal()))
        return replace(self, environment=environment, headers=dict.fromkeys(self.headers, _HIDDEN), url=url)


class OpenApiTools(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """A service whose operations are tools, as an OpenAPI 3.0 or 3.1 document describes them.

    `operations` are the operationIds that are used, all if it is absent. Without `requiresPermission` every operation
    asks that is neither GET nor HEAD; it can be for all, for none, or name operations.
    """

    name: ToolsetName
    base_url: Text
    spec: dict[str, Any] | None = None
    spec_file: Text | None = None
    headers: Headers = {}
    header_variables: HeaderVariables = {}
    requires_permission: bool | Operations | None = None
    operations: Operations | None = None
    start_collapsed: bool = False
    description: Text | None = None
    timeout_seconds: Seconds = 30.0

    def masked(self) -> Self:
        """Return what may be shown of it: nothing that may be a key."""
        return replace(self, headers=dict.fromkeys(self.headers, _HIDDEN), base_url=masked_url(self.base_url))


def masked_url(url: str) -> str:
    """Return a URL without the parts that may be keys: user, password, the values of its query."""
    try:
        parts = urlsplit(url)
        query = urlencode([(name, MASK) for name, _ in parse_qsl(parts.query, keep_blank_values=True)], safe="*")
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host, query=query, fragment="").geturl()
    except ValueError:
        return MASK


def check_toolsets(
    toolsets: Sequence[Toolset],
    mcp_servers: Sequence[McpServer],
    open_api: Sequence[OpenApiTools],
    *,
    leave: Leave,
) -> None:
    """Look whether these can be used, with and beside each other; pointers begin at the config.

    Raises:
        ConfigRefused: no, or a client may not say so.
    """
    for at, toolset in enumerate(toolsets):
        _check_collapsed(f"/toolsets/{at}", toolset)
    for at, server in enumerate(mcp_servers):
        _check_server(f"/mcpServers/{at}", server, leave)
    for at, service in enumerate(open_api):
        _check_service(f"/openApi/{at}", service, leave)
    _check_names(
        [(f"/toolsets/{at}/name", toolset.name) for at, toolset in enumerate(toolsets)]
        + [(f"/mcpServers/{at}/name", server.name) for at, server in enumerate(mcp_servers)]
        + [(f"/openApi/{at}/name", service.name) for at, service in enumerate(open_api)]
    )


def _check_names(named: Sequence[tuple[str, str]]) -> None:
    # Sorted, a name stands right before one that begins with it, if there is any.
    ordered = sorted((f"{name}_", place) for place, (_, name) in enumerate(named))
    for (beginning, one), (whole, other) in pairwise(ordered):
        pointer, name = named[max(one, other)]
        if whole == beginning:
            raise ConfigRefused(pointer, f"There is another toolset called {name}.")
        # With toolsets `a` and `a_b`, the tool `a_b_c` could be of either: what a user has allowed for one would be
        # allowed for the other.
        if whole.startswith(beginning):
            rival = named[min(one, other)][1]
            raise ConfigRefused(
                pointer, f"Tools are called by their toolset's name first: {name} and {rival} cannot be told apart."
            )


def _check_collapsed(pointer: str, toolset: Toolset | McpServer | OpenApiTools) -> None:
    if toolset.start_collapsed and not toolset.description:
        raise ConfigRefused(
            f"{pointer}/description", "A toolset that starts collapsed needs a description: a model sees nothing else."
        )


def _check_server(pointer: str, server: McpServer, leave: Leave) -> None:
    _check_collapsed(pointer, server)
    if (server.command is None) == (server.url is None):
        raise ConfigRefused(pointer, "An MCP server has either a command or a url.")
    _check_members_of_kind(pointer, server)
    if server.command is not None:
        if not leave.commands:
            raise _needs(f"{pointer}/command", "commands", "client_commands")
        if any("\x00" in text for text in (server.command, *server.args)):
            raise ConfigRefused(f"{pointer}/command", "A command cannot hold a NUL.")
    if isinstance(server.environment, dict) and not leave.files:
        raise ConfigRefused(f"{pointer}/environment", f"A client names variables, without values. {_FILES_ONLY}")
    if server.url is not None:
        _check_endpoint(f"{pointer}/url", server.url.reveal(), leave)
    _check_headers(pointer, server, leave)


def _check_members_of_kind(pointer: str, server: McpServer) -> None:
    of_commands = {"args": server.args, "environment": server.environment}
    of_urls = {"headers": server.headers, "headerVariables": server.header_variables}
    for name, value in (of_commands if server.command is None else of_urls).items():
        if value:
            other = "command" if server.command is None else "url"
            raise ConfigRefused(f"{pointer}/{name}", f"Only an MCP server with a {other} has this.")


def _check_service(pointer: str, service: OpenApiTools, leave: Leave) -> None:
    _check_collapsed(pointer, service)
    if (service.spec is None) == (service.spec_file is None):
        raise ConfigRefused(pointer, "A service has its OpenAPI document either in `spec` or in a `specFile`.")
    if service.spec_file is not None and not leave.files:
        raise ConfigRefused(f"{pointer}/specFile", _FILES_ONLY)
    _check_endpoint(f"{pointer}/baseUrl", service.base_url, leave)
    parts = urlsplit(service.base_url)
    if parts.query or parts.fragment:
        raise ConfigRefused(f"{pointer}/baseUrl", "The paths of operations come after this: it has no query.")
    _check_headers(pointer, service, leave)


def _check_endpoint(pointer: str, url: str, leave: Leave) -> None:
    if not leave.endpoints:
        raise _needs(pointer, "addresses", "client_endpoints")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if f"={MASK}" in url:
        raise ConfigRefused(pointer, f"{MASK} is shown in place of a value; say the value itself.")
    if len(url) > _LONGEST_URL or not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigRefused(pointer, "This must be an address such as https://tools.example/mcp.")
    if parts.username is not None or parts.password is not None:
        raise ConfigRefused(pointer, "An address has no user or password here; use headers.")


def _check_headers(pointer: str, toolset: McpServer | OpenApiTools, leave: Leave) -> None:
    if any(_HEADER_VALUE.fullmatch(value.reveal()) is None for value in toolset.headers.values()):
        raise ConfigRefused(f"{pointer}/headers", "A header's value has at most 8192 visible ASCII characters.")
    if _HIDDEN in toolset.headers.values():
        # Whoever reads a config, changes it and writes it back would lose the key.
        raise ConfigRefused(f"{pointer}/headers", f"{MASK} is shown in place of a value; say the value itself.")
    if toolset.headers and not leave.endpoints:
        raise _needs(f"{pointer}/headers", "headers", "client_endpoints")
    if toolset.header_variables and not leave.files:
        # A client could have any variable of the server's sent to an address of its own.
        raise ConfigRefused(f"{pointer}/headerVariables", _FILES_ONLY)


def _needs(pointer: str, what: str, setting: str) -> ConfigRefused:
    return ConfigRefused(pointer, _NOT_SAID_BY_CLIENTS.format(what=what, setting=setting))
