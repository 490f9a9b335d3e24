"""Keys that something was sealed with and that are no more, told as soon as a server starts."""

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.ports.credentials import Cipher, CredentialStore

_log = structlog.get_logger("branchline.credentials")


async def tell_lost_keys(store: CredentialStore, cipher: Cipher) -> None:
    """Log which keys credentials are sealed with that this server has not got; it starts all the same."""
    try:
        lost = [key_id for key_id in await store.key_ids() if cipher.lacks(key_id)]
    except StorageUnavailable as error:
        _log.warning("cannot look which keys credentials are sealed with", why=error.why)
        return
    if lost:
        # Found out only when a run needs one, the file that could be put back may be gone for good.
        _log.error("credentials are sealed with keys that are not in the key file, and cannot be read", keys=lost)
