"""What a client has uploaded: bytes under an id, which the messages of a session can refer to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.ids import BranchId, ContentId, SessionId, is_client_id
from hosting.domain.scope import BranchKey, TenantId

CHUNK_BYTES: Final = 256 << 10
"""How contents are cut: all chunks of one have this size, but the last."""

_SCHEME: Final = "hpd-content:"


@dataclass(frozen=True, slots=True)
class ContentPlace:
    """The session that a content belongs to, and the branch that it came through, if it came through one."""

    tenant: TenantId
    session_id: SessionId
    branch: BranchKey | None = None
    branch_id: BranchId | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A content that is on its way; `name` is the file's where it came from, `content_type` may have parameters.

    It has `most_bytes` at most, and not much less, when that is known before it is here.
    """

    id: ContentId
    place: ContentPlace
    name: str
    content_type: str
    created_at: datetime
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """A content that is whole; `sha256` is in hex."""

    id: ContentId
    session_id: SessionId
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime

    @property
    def media_type(self) -> str:
        """Its type without parameters."""
        return self.content_type.partition(";")[0]

    @property
    def chunks(self) -> int:
        """How many chunks it is cut into."""
        return -(-self.size_bytes // CHUNK_BYTES)


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be kept: of one session, of one tenant, and how many contents of one session."""

    session_bytes: int
    tenant_bytes: int
    session_contents: int = 10_000


def is_content_uri(uri: str) -> bool:
    """Say whether this is meant to name a content (docs/how-to/send-files.md)."""
    return uri[: len(_SCHEME)].lower() == _SCHEME


def content_of(uri: str) -> ContentId | None:
    """Return the id that `hpd-content://{id}` names; None when it names none."""
    slashes, named = uri[len(_SCHEME) :][:2], uri[len(_SCHEME) + 2 :]
    return ContentId(named) if is_content_uri(uri) and slashes == "//" and is_client_id(named) else None


def content_uri(content_id: ContentId) -> str:
    """Return what a message says to refer to a content."""
    return f"{_SCHEME}//{content_id}"
