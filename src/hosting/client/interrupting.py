"""What a server says of an interrupt that it took."""

from msgspec import Struct

from events.ids import RunId
from events.runs import RunStatus


class Interrupting(Struct, frozen=True, kw_only=True, rename="camel"):
    """An interrupt that is stored and will be heeded; following from `position` shows what comes of it."""

    runtime_run_id: RunId
    status: RunStatus
    position: str
