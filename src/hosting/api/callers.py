"""How a caller is recognised: by a key, by the token of a worker, or by the key that older workers share.

The header is `Authorization: Bearer ...`, with exactly this word and one space (docs/reference/worker-protocol.md).
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hmac import compare_digest
from time import monotonic
from typing import Final

from hosting.domain.admission import TokenExpired, TokenInvalid, Unauthenticated
from hosting.domain.api_key import ApiKey, hash_key, is_key
from hosting.domain.identity import CallerKind, Identity, Role
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.secret import Secret
from hosting.domain.standing import Standing
from hosting.ports.keys import ApiKeys
from hosting.ports.tokens import WorkerClaims, WorkerTokens

_SCHEME: Final = b"Bearer "
_LONGEST: Final = 8192
_DOTS_OF_TOKEN: Final = 2
_REMEMBERED_SECONDS: Final = 1.0
_MOST_REMEMBERED: Final = 10_000
_SHARED: Final = Identity(LOCAL_TENANT, CallerKind.SHARED_KEY, frozenset({Role.WORKER}))


class Callers:
    """Tells who is asking.

    No key is remembered, so one that is revoked opens nothing from then on; the tokens of workers that came with it do
    for a second more, since a worker asks many times in one.
    """

    def __init__(self, keys: ApiKeys, tokens: WorkerTokens, shared_key: Secret | None) -> None:
        self._keys = keys
        self._seen: OrderedDict[str, tuple[float, Standing]] = OrderedDict()
        self._tokens = tokens
        self._shared_key = shared_key or None

    async def identify(
        self,
        given: Sequence[bytes],
        renewed: str | None = None,
        hears_of_itself: Callable[[str], bool] = lambda _worker_id: False,
    ) -> Identity:
        """Return who sent these values of the header Authorization, at least one.

        `renewed` is the id of the worker whose token may be too old, since the request wants a new one for it.
        The token of a worker that is not registered any more opens nothing either, except what `hears_of_itself`: there
        it is told that it is not there, whereupon workers register anew.

        Raises:
            Unauthenticated: it opens nothing, whatever the reason.
            TokenExpired: it was a worker's token.
            StorageUnavailable: nobody can tell now.
        """
        shown = given[0].removeprefix(_SCHEME)
        if len(given) != 1 or len(shown) == len(given[0]) or len(shown) > _LONGEST or not shown.isascii():
            raise Unauthenticated
        if self._shared_key is not None and compare_digest(shown, self._shared_key.reveal().encode()):
            return _SHARED
        text = shown.decode("ascii")
        if is_key(text):
            key = await self._keys.find(hash_key(Secret(text)))
            if key is None:
                raise Unauthenticated
            return _holder_of(key)
        if text.count(".") != _DOTS_OF_TOKEN:
            raise TokenInvalid
        claims = self._read(Secret(text), renewed)
        standing = await self._standing(claims.registration_id)
        if standing is Standing.WITHDRAWN or (standing is Standing.GONE and not hears_of_itself(claims.worker_id)):
            raise Unauthenticated
        return _worker_of(claims)

    async def _standing(self, registration_id: str) -> Standing:
        now = monotonic()
        read_at, standing = self._seen.get(registration_id, (now - _REMEMBERED_SECONDS, Standing.GOOD))
        if now - read_at < _REMEMBERED_SECONDS:
            return standing
        standing = await self._keys.standing(registration_id)
        if standing is Standing.WITHDRAWN:
            # Another key can stand for it at any moment.
            self._seen.pop(registration_id, None)
            return standing
        self._seen[registration_id] = now, standing
        self._seen.move_to_end(registration_id)
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return standing

    def _read(self, token: Secret, renewed: str | None) -> WorkerClaims:
        try:
            return self._tokens.read(token)
        except TokenExpired:
            claims = self._tokens.read_expired(token)
            if claims.worker_id != renewed:
                raise
            return claims


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
