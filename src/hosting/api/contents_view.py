"""A content as routes show it."""

from datetime import datetime

from msgspec import Struct

from events.ids import ContentId
from hosting.domain.content import Content


class ContentView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that was uploaded; messages refer to it as `hpd-content://{contentId}`."""

    content_id: ContentId
    version: str
    """The SHA-256 of its bytes, in hex; its ETag is this in quotes."""
    content_type: str
    size_bytes: int
    file_name: str
    created_at: datetime

    @classmethod
    def of(cls, content: Content) -> "ContentView":
        """Show a content."""
        return cls(
            content_id=content.id,
            version=content.sha256,
            content_type=content.content_type,
            size_bytes=content.size_bytes,
            file_name=content.name,
            created_at=content.created_at,
        )
