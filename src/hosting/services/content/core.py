"""What every verb of contents works with."""

import asyncio
from dataclasses import dataclass, field

from events.ids import IdSource
from hosting.domain.content import Room
from hosting.domain.media_types import MediaTypes
from hosting.ports.clock import Clock
from hosting.ports.contents import ContentStore


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts that the verbs of contents are made of.

    `largest_bytes` is how large one may be, and `types` are what they may be. `writing` lets as many parts be stored
    at once as the store takes without letting the logs wait.
    """

    store: ContentStore
    ids: IdSource
    clock: Clock
    room: Room
    largest_bytes: int
    types: MediaTypes
    writing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
