"""How far a config may reach beyond the server: to addresses, variables, files, commands, and into requests."""

from typing import Final

from hosting.domain.definition import AgentConfig, CandidateConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.model_config import check_endpoint, not_to_be_said
from hosting.domain.pointer import pointer_to
from hosting.domain.toolset_config import Leave, check_toolsets

_NO_ADDRESSES: Final = (
    "This server takes no addresses from clients; its operator may allow that, by the setting client_endpoints, or "
    "write the definition into a file."
)


def check_reach(config: AgentConfig, leave: Leave) -> None:
    """Make sure that a config says nothing that it has no leave for; whoever will build it, and wherever.

    Raises:
        ConfigRefused: it does, or says it such that it cannot be used.
    """
    chat = config.clients.chat
    if chat is not None:
        _check_client(chat, "/clients/chat", leave)
        for place, candidate in enumerate(chat.candidates):
            pointer = f"/clients/chat/candidates/{place}"
            if candidate.candidate in {other.candidate for other in chat.all_candidates[: place + 1]}:
                raise ConfigRefused(pointer, f"The candidate {candidate.candidate!r:.100} is there already.")
            _check_client(candidate, pointer, leave)
    if (refused := not_to_be_said(config.chat.additional_properties)) is not None:
        pointer = pointer_to("$.chat.additionalProperties", refused)
        raise ConfigRefused(pointer, f"This may not say {refused!r:.100}: the server decides that itself.")
    check_toolsets(config.toolsets, config.mcp_servers, config.open_api, leave=leave)


def credential_sent_elsewhere(config: AgentConfig) -> str | None:
    """Return where a config has a credential sent to an address that it names itself, if it does: a pointer."""
    chat = config.clients.chat
    if chat is None:
        return None
    if chat.credential is not None and chat.endpoint is not None:
        return "/clients/chat/credential"
    for place, candidate in enumerate(chat.candidates):
        if candidate.credential is not None and candidate.endpoint is not None:
            return f"/clients/chat/candidates/{place}/credential"
    return None


def _check_client(client: CandidateConfig, pointer: str, leave: Leave) -> None:
    if client.endpoint is not None:
        if not leave.endpoints:
            raise ConfigRefused(f"{pointer}/endpoint", _NO_ADDRESSES)
        if wrong := check_endpoint(client.endpoint):
            raise ConfigRefused(f"{pointer}/endpoint", f"This {wrong}.")
    if client.api_key_variable is not None and not leave.files:
        # A client could have any variable of the server's sent to an address of its own.
        raise ConfigRefused(
            f"{pointer}/apiKeyVariable", "Only a definition in a file of the server's operator can have this."
        )
