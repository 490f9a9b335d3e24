"""What every verb of credentials works with."""

from dataclasses import dataclass

from hosting.ports.credentials import AuditLog, Cipher, CredentialChanges, CredentialStore, SealedConfigs
from hosting.runtime.core import Runtime
from hosting.services.credentials.news import News
from hosting.services.credentials.trail import Trail


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parts that the verbs of credentials are made of."""

    runtime: Runtime
    store: CredentialStore
    configs: SealedConfigs
    changes: CredentialChanges
    audit: AuditLog
    cipher: Cipher
    trail: Trail
    news: News

    def check_key(self) -> None:
        """Make sure that this server can open; whoever seals finds out then whether it can.

        Raises:
            SealKeyMissing: it cannot.
        """
        self.cipher.check()
