"""An agent that a server has, as its list shows it."""

from msgspec import Struct

from events.ids import AgentId


class KnownAgent(Struct, frozen=True, kw_only=True, rename="camel"):
    """An agent: its id, what people call it, and whether its runs are for workers (`runtime` is `worker`)."""

    id: AgentId
    name: str
    runtime: str
