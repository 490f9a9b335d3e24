"""The door to the tokens that workers are given when they register."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class WorkerClaims:
    """What a token says about the worker that has it; times are whole seconds."""

    jti: str
    project: str | None
    tenant: TenantId
    worker_id: str
    registration_id: str
    scopes: tuple[str, ...]
    expires_at: datetime


class WorkerTokens(Protocol):
    """Signs tokens and reads them again; what it has not signed it does not read."""

    def issue(self, claims: WorkerClaims) -> Secret:
        """Return a token that says this.

        Raises:
            SigningKeyMissing: there is no key to sign with.
        """
        ...

    def read(self, token: Secret) -> WorkerClaims:
        """Return what a token says.

        Raises:
            TokenInvalid: it is none of ours.
            TokenExpired: it is ours, and too old.
        """
        ...

    def read_expired(self, token: Secret) -> WorkerClaims:
        """Return what a token says, however old it is.

        Raises:
            TokenInvalid: it is none of ours.
        """
        ...
