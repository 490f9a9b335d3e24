"""The doors to what clients upload: where it is stored, and how runs come by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from events.ids import ContentId, SessionId
from hosting.domain.content import Arrival, Content, ContentPlace, Room
from hosting.domain.scope import TenantId


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive chunks of a content, from the number `first` on.

    `total_bytes` is how many bytes there are with these, and `kept_free` for how many there was room before; `sha256`
    says that these are the last ones.
    """

    first: int
    chunks: Sequence[bytes]
    total_bytes: int
    kept_free: int
    sha256: str | None = None


class ContentStore(Protocol):
    """Where contents are stored, each as chunks.

    Raises:
        StorageUnavailable: the store takes or gives nothing now.
    """

    async def put(self, arrival: Arrival, part: Part, room: Room) -> int:
        """Store a part, and return for how many bytes there is room from now on; the first part begins the content.

        With the last one the content is there for everybody; before, nobody sees anything of it.

        Raises:
            SessionMissing, BranchMissing: it is not there any more.
            ContentFull: there is no room.
            StorageUnavailable: nothing of the part is stored; or what had come was taken for forgotten.
        """
        ...

    async def discard(self, content_id: ContentId) -> None:
        """Forget a content that is not whole."""
        ...

    async def contents(self, place: ContentPlace) -> list[Content]:
        """Return what was uploaded through a branch, or of a whole session, the oldest first."""
        ...

    async def find(
        self, tenant: TenantId, session_id: SessionId, ids: Collection[ContentId]
    ) -> Mapping[ContentId, Content]:
        """Return those of these contents that the session has."""
        ...

    async def chunk(self, content_id: ContentId, number: int) -> bytes:
        """Return a chunk.

        Raises:
            ContentMissing: the content has been deleted meanwhile.
            ContentDamaged: it is not there, or does not fit its checksum.
        """
        ...

    async def delete(self, tenant: TenantId, session_id: SessionId, content_id: ContentId) -> bool:
        """Delete a content of a session; False when it has none."""
        ...

    async def abandon(self, silent_seconds: float) -> int:
        """Forget contents that are not whole and of which nothing came for so long; return how many."""
        ...

    async def loose(self, most: int) -> Sequence[ContentId]:
        """Return contents that nobody knows any more, and of which chunks are left."""
        ...

    async def drop(self, content_id: ContentId, most: int) -> int:
        """Remove so many of the chunks of a content that nobody knows any more; return how many there were."""
        ...


class SessionContents(Protocol):
    """How runs and inputs come by the contents of their session."""

    async def find(
        self, tenant: TenantId, session_id: SessionId, ids: Collection[ContentId]
    ) -> Mapping[ContentId, Content]:
        """Return those of these contents that the session has."""
        ...

    async def read(self, content: Content) -> bytes:
        """Return all bytes of a content.

        Raises:
            ContentMissing: it has been deleted meanwhile.
            ContentDamaged: they are not there, or not those that were stored.
            StorageUnavailable: they cannot be read now.
        """
        ...
