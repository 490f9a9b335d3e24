"""The credentials that a config names for its models."""

from collections.abc import Collection

from hosting.domain.credential import check_name
from hosting.domain.credential_errors import CredentialRefused
from hosting.domain.definition import AgentConfig, CandidateConfig
from hosting.domain.errors import ConfigRefused

_CHAT = "/clients/chat"


def check_credentials(config: AgentConfig, known: Collection[str] | None) -> None:
    """Make sure that the credentials which a config names can be there, and are among those that are `known`.

    Raises:
        ConfigRefused: one is not.
    """
    chat = config.clients.chat
    if chat is None:
        return
    _check(chat, _CHAT, known)
    for place, candidate in enumerate(chat.candidates):
        _check(candidate, f"{_CHAT}/candidates/{place}", known)


def _check(client: CandidateConfig, pointer: str, known: Collection[str] | None) -> None:
    name = client.credential
    if name is None:
        return
    if client.api_key_variable is not None:
        raise ConfigRefused(f"{pointer}/credential", "A model has one key: this, or what `apiKeyVariable` names.")
    try:
        check_name(name)
    except CredentialRefused as error:
        raise ConfigRefused(f"{pointer}/credential", str(error)) from error
    if known is not None and name not in known:
        raise ConfigRefused(
            f"{pointer}/credential",
            f"Runs of this agent have no credential {name}; an operator sets it, as `branchline credentials set` does.",
        )
