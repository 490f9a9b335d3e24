"""The door to an issue tracker, for host programs that have one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hosting.domain.scope import TenantId


class TrackerRefused(Exception):
    """A tracker did not do what it was asked for; all of this is told to the worker that asked."""

    def __init__(self, code: str, message: str, *, is_retryable: bool = False) -> None:
        self.code, self.message, self.is_retryable = code, message, is_retryable
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class TrackerAnswer:
    """What a tracker answers, as JSON can hold it; `quota` says how much more it may be asked, if it says that."""

    data: Any = None
    quota: Mapping[str, Any] | None = None


class Tracker(Protocol):
    """Asks an issue tracker on behalf of workers."""

    async def ask(self, tenant: TenantId, method: str, arguments: Sequence[Any]) -> TrackerAnswer:
        """Call one of the methods that docs/reference/worker-protocol.md lists.

        Raises:
            TrackerRefused: it was not done.
        """
        ...
