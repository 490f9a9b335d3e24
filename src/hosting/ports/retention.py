"""The door to what is kept of logs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hosting.domain.scope import TenantId


@dataclass(frozen=True, slots=True)
class Trimming:
    """Which events go: from the front of a log, those up to the last one of a run that has ended before a moment.

    The newest `keep_events` of each log stay. With a `tenant` it is that one's logs, with `idle_since` those of
    sessions in which nothing has happened since.
    """

    ended_before: datetime
    keep_events: int = 0
    tenant: TenantId | None = None
    idle_since: datetime | None = None


class Retention(Protocol):
    """Where logs lose their beginnings, in small pieces, at any time and by any number of servers."""

    async def trim(self, wanted: Trimming) -> bool:
        """Let some of what is not wanted go, and say whether there may be more; one pass goes over all branches once.

        No event goes that a run needs which has not ended, and none that follows one of its.

        Raises:
            StorageUnavailable: the store cannot be used now; nothing is lost but what was to go.
        """
        ...
