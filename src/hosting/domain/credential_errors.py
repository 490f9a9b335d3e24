"""What can go wrong with credentials and with what is sealed.

BranchlineError
+-- NotFound
|   +-- CredentialNotFound
+-- Invalid
|   +-- CredentialRefused       its name, layer or value cannot be one
+-- Conflict
|   +-- TooManyCredentials
+-- SealKeyMissing              this server has no key to seal anything with
|   +-- SealKeyUnusable         it had one, and the file that this was read from cannot be used now
+-- SealBroken                  what is sealed was changed, moved, or is nothing that was sealed
|   +-- SealKeyGone             the key that it was sealed with is no more
+-- CredentialUnreadable        one of these two, said of a credential
"""

from hosting.domain.errors import BranchlineError, Conflict, Invalid, NotFound


class CredentialRefused(Invalid):
    """There can be no such credential."""

    code = "credential-refused"


class CredentialNotFound(NotFound):
    """No credential of that name in that layer."""

    code = "credential-not-found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no credential {name[:128]!r} in that layer.")


class TooManyCredentials(Conflict):
    """A tenant has as many credentials as it may."""

    code = "too-many-credentials"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} credentials already, which is the most; delete one first.")


class SealKeyMissing(BranchlineError):
    """Nothing can be sealed or opened, since this server has no key for it."""

    code = "no-sealing-key"

    def __init__(self) -> None:
        super().__init__(
            "This server has no key to protect secrets with; its operator can name a file of keys in "
            "BRANCHLINE_KEY_FILE, which `branchline keys rotate` writes, and start the server again."
        )


class SealKeyUnusable(SealKeyMissing):
    """Nothing can be sealed, since what is sealed with a key that is in no file would be lost with the process."""

    def __init__(self) -> None:
        BranchlineError.__init__(
            self,
            "The key file of this server cannot be used now, and its log says why; nothing is sealed with a key that "
            "is in no file. Put the file back.",
        )


class SealBroken(BranchlineError):
    """What is sealed cannot be opened."""

    why = "it was changed, or is another one's"

    def __init__(self, key_id: str = "") -> None:
        self.key_id = key_id
        super().__init__(f"What was sealed with key {key_id[:64]!r} cannot be opened: {self.why}.")


class SealKeyGone(SealBroken):
    """The key that something was sealed with is not among those that there are."""

    why = "that key is not in the key file any more"


class CredentialUnreadable(BranchlineError):
    """The value of a credential cannot be read; nothing takes its place."""

    code = "credential-unreadable"

    def __init__(self, name: str, broken: SealBroken) -> None:
        self.name, self.key_id = name, broken.key_id
        super().__init__(
            f"Credential {name} was sealed with key {broken.key_id[:64]!r} and cannot be read: {broken.why}. "
            "Set it once more, or put that key back."
        )
