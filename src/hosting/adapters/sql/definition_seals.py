"""Secrets of stored definitions: sealed for their tenant and definition, and opened where one is built."""

import asyncio
from typing import Final

from events.ids import AgentId
from hosting.domain.credential_errors import SealBroken, SealKeyMissing
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.scope import TenantId
from hosting.domain.sealed import Open
from hosting.domain.sealed_place import SealedPlace
from hosting.domain.toolset_config import MASK
from hosting.ports.credentials import Cipher

_UNREADABLE: Final = "A secret of this definition cannot be read any more; store the definition once more."


class DefinitionSeals:
    """Seals and opens what is secret in the configs of a tenant."""

    def __init__(self, cipher: Cipher, tenant: TenantId) -> None:
        self._cipher = cipher
        self._tenant = tenant

    async def stored(self, agent_id: AgentId, config: AgentConfig) -> bytes:
        """Return a config as it is stored.

        Raises:
            SealKeyMissing: something in it is secret, and this server has no key.
        """
        context = self._context(agent_id)
        # A config can hold the whole document of a service.
        return await asyncio.to_thread(config.stored, lambda plain: self._cipher.seal(plain, context))

    def opened(self, agent_id: AgentId, text: bytes) -> AgentConfig:
        """Return a config to be built.

        Raises:
            ConfigRefused: something that is secret in it cannot be opened.
        """
        try:
            return AgentConfig.of_stored(text, self._open(agent_id))
        except (SealBroken, SealKeyMissing) as error:
            raise ConfigRefused("", f"{_UNREADABLE} {error}") from error

    def legible(self, agent_id: AgentId, text: bytes) -> AgentConfig:
        """Return a config to be shown or compared; what cannot be opened is `***`, as it is when it is shown."""
        opened = self._open(agent_id)

        def leniently(sealed: bytes) -> bytes:
            try:
                return opened(sealed)
            except (SealBroken, SealKeyMissing):
                return MASK.encode()

        return AgentConfig.of_stored(text, leniently)

    def _open(self, agent_id: AgentId) -> Open:
        context = self._context(agent_id)
        return lambda sealed: self._cipher.open(sealed, context)

    def _context(self, agent_id: AgentId) -> bytes:
        return SealedPlace.of_definition(self._tenant, agent_id).context
