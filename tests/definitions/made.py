"""Definitions that are yet to be stored."""

from datetime import datetime

from hosting.domain.definition import AgentConfig, Definition, Runtime
from tests.store.units import IDS, NOW


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
