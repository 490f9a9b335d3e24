"""The door to whoever gives workers access to repositories."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hosting.domain.secret import Secret
from hosting.domain.worker import Worker


@dataclass(frozen=True, slots=True)
class GitCredential:
    """Access to a repository for a while."""

    clone_url: str
    expires_at: datetime
    token: Secret


class GitCredentials(Protocol):
    """Issues credentials."""

    async def issue(self, worker: Worker) -> Sequence[GitCredential]:
        """Return what a worker may have now."""
        ...
