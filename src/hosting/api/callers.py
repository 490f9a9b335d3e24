"""How a caller is recognised: by a key, by the token of a worker, by the key that older workers share, or by its place.

The header is `Authorization: Bearer ...`, with exactly this word and one space (docs/reference/worker-protocol.md).
"""

from collections.abc import Sequence
from functools import lru_cache
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from typing import Final

from litestar.types import Scope

from hosting.domain.admission import TokenInvalid, Unauthenticated
from hosting.domain.api_key import ApiKey, hash_key, is_key
from hosting.domain.identity import LOCAL, CallerKind, Identity, Role
from hosting.domain.scope import LOCAL_TENANT
from hosting.ports.keys import ApiKeys
from hosting.ports.tokens import WorkerClaims, WorkerTokens

_SCHEME: Final = b"Bearer "
_LONGEST: Final = 8192
_DOTS_OF_TOKEN: Final = 2
_NEEDS_KEY: Final = (
    "Who asks from another machine must send `Authorization: Bearer <key>`; `branchline keys create` makes keys."
)
_SHARED: Final = Identity(LOCAL_TENANT, CallerKind.SHARED_KEY, frozenset({Role.WORKER}))
# A proxy that puts its client's address elsewhere than in X-Forwarded-For, which the server has read by now.
_OF_PROXIES: Final = frozenset({b"forwarded", b"via", b"x-real-ip"})


class Callers:
    """Tells who is asking; nothing is remembered, so a key that is revoked opens nothing from then on."""

    def __init__(self, keys: ApiKeys, tokens: WorkerTokens, shared_key: str | None) -> None:
        self._keys = keys
        self._tokens = tokens
        self._shared_key = shared_key.encode() if shared_key else None

    async def identify(self, given: Sequence[bytes]) -> Identity:
        """Return who sent these values of the header Authorization, at least one.

        Raises:
            Unauthenticated: it opens nothing, whatever the reason.
            TokenExpired: it was a worker's token.
            StorageUnavailable: nobody can tell now.
        """
        shown = given[0].removeprefix(_SCHEME)
        if len(given) != 1 or len(shown) == len(given[0]) or len(shown) > _LONGEST or not shown.isascii():
            raise Unauthenticated
        if self._shared_key is not None and compare_digest(shown, self._shared_key):
            return _SHARED
        text = shown.decode("ascii")
        if is_key(text):
            key = await self._keys.find(hash_key(text))
            if key is None:
                raise Unauthenticated
            return _holder_of(key)
        if text.count(".") != _DOTS_OF_TOKEN:
            raise TokenInvalid
        return _worker_of(self._tokens.read(text))


def is_local(scope: Scope) -> bool:
    """Say whether who is asking is on the machine that the server is on, as far as the connection tells."""
    client, server = scope.get("client"), scope.get("server")
    if client is not None:
        return _is_loopback(client[0])
    # A peer that has gone by now has no address either: only a socket that is a file says that it is near.
    return server is not None and server[1] is None


def without_key(scope: Scope) -> Identity:
    """Return who is asking without having shown anything.

    Raises:
        Unauthenticated: somebody of another machine.
    """
    if not is_local(scope) or any(name in _OF_PROXIES for name, _ in scope["headers"]):
        raise Unauthenticated(_NEEDS_KEY)
    return LOCAL


@lru_cache(maxsize=1024)
def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def _holder_of(key: ApiKey) -> Identity:
    return Identity(key.tenant, CallerKind.KEY, frozenset({key.role}), project=key.project, key_id=key.id)


def _worker_of(claims: WorkerClaims) -> Identity:
    return Identity(
        claims.tenant,
        CallerKind.WORKER,
        frozenset({Role.WORKER}),
        project=claims.project,
        worker_id=claims.worker_id,
        registration_id=claims.registration_id,
        scopes=claims.scopes,
    )
