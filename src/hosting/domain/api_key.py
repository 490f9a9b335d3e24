"""Keys by which callers show who they are; the store never sees one."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hosting.domain.identity import Role
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret

SECRET_BYTES: Final = 32
"""How much chance there is in a key, at least."""

_OF_TENANT: Final = "rsk_live_"
_OF_PROJECT: Final = "rsp_live_"
_SHOWN_OF_SECRET: Final = 4


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; `shown` is how it begins, by which people tell their keys apart."""

    id: str
    tenant: TenantId
    role: Role
    project: str | None
    shown: str
    created_at: datetime
    revoked_at: datetime | None = None


def make_key(
    tenant: TenantId, role: Role, project: str | None, *, secret: bytes, key_id: str, now: datetime
) -> tuple[ApiKey, Secret]:
    """Make a key of a whole tenant, or of one project; return what is known of it, and the key, which its owner keeps.

    `secret` is chance, SECRET_BYTES of it at least.
    """
    prefix = _OF_TENANT if project is None else _OF_PROJECT
    text = prefix + urlsafe_b64encode(secret).rstrip(b"=").decode()
    return ApiKey(key_id, tenant, role, project, text[: len(prefix) + _SHOWN_OF_SECRET], now), Secret(text)


def is_key(text: str) -> bool:
    """Say whether a text has the form of a key."""
    return text.startswith((_OF_TENANT, _OF_PROJECT))


def hash_key(key: Secret) -> str:
    """Return what the store knows a key by.

    Once through SHA-256 is enough: a key is 256 bits of chance, not a password that could be guessed from a list.
    """
    return hashlib.sha256(key.reveal().encode()).hexdigest()
