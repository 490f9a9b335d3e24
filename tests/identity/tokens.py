"""Tokens of workers as the tests make them: the server's own, and by hand."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

from hosting.adapters.files.key_file import KeyFile
from hosting.adapters.tokens.worker_tokens import JwtWorkerTokens
from hosting.domain.scope import TenantId
from hosting.domain.signing_key import SigningKey
from hosting.ports.tokens import WorkerClaims

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def claims(expires_at: datetime, tenant: str = "local") -> WorkerClaims:
    """Return what a token may say."""
    return WorkerClaims("jti_1", "web", TenantId(tenant), "wrk_1", "reg_1", ("poll", "report"), expires_at)


def tokens_at(now: datetime, *keys: SigningKey) -> JwtWorkerTokens:
    """Return who signs and reads with these keys at this time."""
    known = {key.id: key for key in keys}
    return JwtWorkerTokens(lambda: known, lambda: now)


def tokens_of(key_file: Path) -> JwtWorkerTokens:
    """Return who signs and reads as a server with this key file does."""
    return JwtWorkerTokens(KeyFile(key_file).keys, lambda: datetime.now(UTC))


def encoded(data: bytes) -> str:
    """Return bytes as a segment of a token."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(segment: str) -> bytes:
    """Undo `encoded`."""
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def worker_of(token: str) -> str:
    """Return the id of the worker that a token is of."""
    return str(json.loads(decoded(token.split(".")[1]))["sub"])


def written(members: Any) -> str:
    """Return JSON as a segment of a token."""
    return encoded(json.dumps(members, separators=(",", ":")).encode())


def signed(header: Any, payload: Any, secret: bytes, algorithm: str = "sha256") -> str:
    """Sign by hand; what is given as bytes is taken as it is."""
    said = ".".join(encoded(part) if isinstance(part, bytes) else written(part) for part in (header, payload))
    return f"{said}.{encoded(digest(secret, said.encode(), algorithm))}"


def is_signed(token: str, secret: bytes) -> bool:
    """Say whether a token's signature is by this key."""
    said, _, signature = token.rpartition(".")
    return signature == encoded(digest(secret, said.encode(), sha256))
