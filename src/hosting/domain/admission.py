"""Who is not let in, or not that far.

BranchlineError
+-- Unauthenticated
|   +-- TokenInvalid      forged, cut, of another server, or signed with a key that is no more
|   +-- TokenExpired      once good; whoever has it can ask for the next one
+-- Forbidden             known, but not for this
|   +-- NotTheOwner       a session that another worker works on
+-- NotFound
|   +-- WorkerMissing
+-- SigningKeyMissing     no token can be signed here
+-- KeyFileRefused        the file of the signing keys cannot be used
"""

from pathlib import Path
from typing import Final

from hosting.domain.errors import BranchlineError, NotFound

INVALID_KEY: Final = "Invalid or missing API key"
TOO_OLD: Final = "Runtime token expired"
NOT_THE_OWNER: Final = "Session is owned by another worker"
WORKER_MISSING: Final = "Worker not found"
"""These four are what workers look for in an answer, word by word (docs/reference/worker-protocol.md)."""


class Unauthenticated(BranchlineError):
    """Nobody can tell who is asking."""

    code = "unauthenticated"

    def __init__(self, advice: str = "") -> None:
        super().__init__(f"{INVALID_KEY}. {advice}" if advice else f"{INVALID_KEY}.")


class TokenInvalid(Unauthenticated):
    """A token is none of ours; why not is told to nobody."""


class TokenExpired(Unauthenticated):
    """A worker's token was good and is too old."""

    code = "token-expired"

    def __init__(self) -> None:
        BranchlineError.__init__(self, f"{TOO_OLD}.")


class Forbidden(BranchlineError):
    """The caller is known, and may not do this."""

    code = "forbidden"


class NotTheOwner(Forbidden):
    """A session that another worker works on."""

    code = "session-not-owned"

    def __init__(self) -> None:
        super().__init__(f"{NOT_THE_OWNER}.")


class WorkerMissing(NotFound):
    """No such worker."""

    code = "worker-not-found"

    def __init__(self) -> None:
        super().__init__(f"{WORKER_MISSING}.")


class SigningKeyMissing(BranchlineError):
    """No token can be signed, since this server has no key for it."""

    code = "no-signing-key"

    def __init__(self) -> None:
        super().__init__(
            "This server has no key to sign the tokens of workers with; its operator can name a file of keys in "
            "BRANCHLINE_KEY_FILE, and `branchline keys rotate` writes one."
        )


class KeyFileRefused(BranchlineError):
    """The file of the signing keys cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The key file {path} cannot be used: {why}")
