"""How runs and inputs come by the contents of their session."""

from collections.abc import Collection, Mapping

from events.ids import ContentId, SessionId
from hosting.domain.content import Content
from hosting.domain.scope import TenantId
from hosting.ports.contents import ContentStore
from hosting.services.content.hand_out import hand_out


class ContentsOfSessions:
    """See the door, SessionContents."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store

    async def find(
        self, tenant: TenantId, session_id: SessionId, ids: Collection[ContentId]
    ) -> Mapping[ContentId, Content]:
        """See SessionContents.find."""
        return await self._store.find(tenant, session_id, ids)

    async def read(self, content: Content) -> bytes:
        """See SessionContents.read."""
        return b"".join([piece async for piece in hand_out(self._store, content)])
