"""How a caller is recognised: by a key, by the token of a worker, by the key that older workers share, or by its place.

The header is `Authorization: Bearer ...`, with exactly this word and one space (docs/reference/worker-protocol.md).
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import Final

from litestar.types import Scope

from hosting.domain.admission import TokenExpired, TokenInvalid, Unauthenticated
from hosting.domain.api_key import ApiKey, hash_key, is_key
from hosting.domain.identity import LOCAL, CallerKind, Identity, Role
from hosting.domain.scope import LOCAL_TENANT
from hosting.ports.keys import ApiKeys
from hosting.ports.tokens import WorkerClaims, WorkerTokens

_SCHEME: Final = b"Bearer "
_LONGEST: Final = 8192
_DOTS_OF_TOKEN: Final = 2
_REMEMBERED_SECONDS: Final = 1.0
_MOST_REMEMBERED: Final = 10_000
_NEEDS_KEY: Final = (
    "Who asks from another machine must send `Authorization: Bearer <key>`; `branchline keys create` makes keys."
)
_SHARED: Final = Identity(LOCAL_TENANT, CallerKind.SHARED_KEY, frozenset({Role.WORKER}))
# What a proxy says: it may be on this machine, but who asks it need not be, and can have sent any address along.
_OF_PROXIES: Final = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})


class Callers:
    """Tells who is asking.

    No key is remembered, so one that is revoked opens nothing from then on; the tokens of workers that came with it do
    for a second more, since a worker asks many times in one.
    """

    def __init__(self, keys: ApiKeys, tokens: WorkerTokens, shared_key: str | None) -> None:
        self._keys = keys
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._tokens = tokens
        self._shared_key = shared_key.encode() if shared_key else None

    async def identify(self, given: Sequence[bytes], renewed: str | None = None) -> Identity:
        """Return who sent these values of the header Authorization, at least one.

        `renewed` is the id of the worker whose token may be too old, since the request wants a new one for it.

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
        claims = self._read(text, renewed)
        await self._check_key_of(claims.registration_id)
        return _worker_of(claims)

    async def _check_key_of(self, registration_id: str) -> None:
        now = monotonic()
        if now - self._seen.get(registration_id, -_REMEMBERED_SECONDS) < _REMEMBERED_SECONDS:
            return
        if await self._keys.is_withdrawn(registration_id):
            self._seen.pop(registration_id, None)
            raise Unauthenticated
        self._seen[registration_id] = now
        self._seen.move_to_end(registration_id)
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)

    def _read(self, token: str, renewed: str | None) -> WorkerClaims:
        try:
            return self._tokens.read(token)
        except TokenExpired:
            claims = self._tokens.read_expired(token)
            if claims.worker_id != renewed:
                raise
            return claims


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
