"""The door to whoever gives workers access to repositories."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hosting.domain.worker import Worker


@dataclass(frozen=True, slots=True)
class GitCredential:
    """Access to a repository for a while; the token is a secret, and never logged."""

    clone_url: str
    expires_at: datetime
    token: str = field(repr=False)


class GitCredentials(Protocol):
    """Issues credentials."""

    async def issue(self, worker: Worker) -> Sequence[GitCredential]:
        """Return what a worker may have now."""
        ...
