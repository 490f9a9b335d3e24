"""What a server says of a fork that it made."""

from datetime import datetime

from msgspec import Struct

from events.ids import BranchId, MessageId, SessionId


class Forked(Struct, frozen=True, kw_only=True, rename="camel"):
    """A branch that begins as a copy of another one's messages, up to and with `forked_at_message_id`.

    `ancestors` are the branches that it stems from, by depth from `"0"`; the source is the last one.
    """

    id: BranchId
    session_id: SessionId
    name: str
    created_at: datetime
    message_count: int
    forked_from: BranchId
    forked_at_message_id: MessageId
    forked_at_message_index: int
    ancestors: dict[str, BranchId]
    sibling_index: int
    total_siblings: int
