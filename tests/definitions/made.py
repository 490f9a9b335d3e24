"""Definitions that are yet to be stored."""

from datetime import datetime
from typing import Final

from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.domain.definition import AgentConfig, Definition, Runtime
from hosting.domain.signing_key import SigningKey
from tests.store.units import IDS, NOW

KEY: Final = SigningKey.of("key-1", bytes(range(32)))
CIPHER: Final = AesGcmCipher(lambda: {KEY.id: KEY})
"""What seals the secrets of definitions."""


def definition(name: str = "Poet", said: str = "Rhyme.", at: datetime = NOW) -> Definition:
    """Return a definition that is yet to be stored."""
    return Definition(
        id=IDS.agent(),
        name=name,
        version=1,
        runtime=Runtime.LOCAL,
        metadata={"team": "verse"},
        created_at=at,
        updated_at=at,
        config=AgentConfig(system_instructions=said),
    )
