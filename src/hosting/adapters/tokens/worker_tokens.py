"""Tokens of workers as signed JWTs, checked as RFC 8725 wants it."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeVar

import jwt
import msgspec

from hosting.domain.admission import SigningKeyMissing, TokenExpired, TokenInvalid
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.domain.signing_key import SigningKey
from hosting.ports.clock import Clock
from hosting.ports.tokens import WorkerClaims

T = TypeVar("T")

SigningKeys = Callable[[], Mapping[str, SigningKey]]
"""Returns the keys there are now by their ids, the newest last."""

LONGEST: Final = 4096
"""The longest text that is looked at; ours have a tenth of it."""

_MOST_KNOWN: Final = 10_000
_ALGORITHM: Final = "HS256"
_TYPE: Final = "worker+jwt"
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LAST_SECOND: Final = int(datetime.max.replace(tzinfo=UTC).timestamp())
_JWS: Final = jwt.PyJWS(algorithms=[_ALGORITHM])


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a header of ours says: one that names a key's place, or wants something understood, is not ours."""

    alg: Literal["HS256"]
    kid: str
    typ: Literal["worker+jwt"]


class _Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a token of ours says."""

    iss: Literal["branchline"]
    aud: Literal["branchline-workers"]
    jti: str
    proj: str | None
    org: str
    sub: str
    reg: str
    scope: tuple[str, ...]
    iat: int
    exp: Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]


_HEADER: Final = msgspec.json.Decoder(_Header)
_CLAIMS: Final = msgspec.json.Decoder(_Claims)


class JwtWorkerTokens:
    """See the door, WorkerTokens.

    The newest key signs and all verify. A token is read by this server's rules, never by what its header asks for.
    There is no leeway: a token is too old from the second on that it names.
    """

    def __init__(self, keys: SigningKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._known: OrderedDict[Secret, tuple[SigningKey, WorkerClaims]] = OrderedDict()

    def issue(self, claims: WorkerClaims) -> Secret:
        """See WorkerTokens.issue."""
        keys = self._keys()
        if not keys:
            raise SigningKeyMissing
        newest = list(keys.values())[-1]
        said = _Claims(
            iss="branchline",
            aud="branchline-workers",
            jti=claims.jti,
            proj=claims.project,
            org=claims.tenant,
            sub=claims.worker_id,
            reg=claims.registration_id,
            scope=claims.scopes,
            iat=int(self._clock().timestamp()),
            exp=int(claims.expires_at.timestamp()),
        )
        headers = {"typ": _TYPE, "kid": newest.id}
        return Secret(_JWS.encode(msgspec.json.encode(said), newest.reveal(), _ALGORITHM, headers=headers))

    def read(self, token: Secret) -> WorkerClaims:
        """See WorkerTokens.read."""
        claims = self.read_expired(token)
        if claims.expires_at <= self._clock():
            raise TokenExpired
        return claims

    def read_expired(self, token: Secret) -> WorkerClaims:
        """See WorkerTokens.read_expired."""
        known = self._known.get(token)
        # A worker shows the same token many times a second; it is what it was as long as its key is.
        if known is not None and self._keys().get(known[0].id) == known[0]:
            return known[1]
        key, claims = self._verified(token.reveal())
        self._known[token] = key, claims
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return claims

    def _verified(self, token: str) -> tuple[SigningKey, WorkerClaims]:
        # The length first: nothing long is taken apart.
        if len(token) > LONGEST or _FORM.fullmatch(token) is None or not all(map(_is_canonical, token.split("."))):
            raise TokenInvalid
        try:
            header = _exactly(_HEADER, _bytes_of(token.partition(".")[0]))
            key = self._keys()[header.kid]
            payload = _JWS.decode_complete(token, key.reveal(), algorithms=[_ALGORITHM])["payload"]
            return key, _read(_exactly(_CLAIMS, payload))
        except (KeyError, ValueError, RecursionError, msgspec.DecodeError, jwt.PyJWTError) as error:
            raise TokenInvalid from error


def _exactly(decoder: msgspec.json.Decoder[T], text: bytes) -> T:
    """Read what we wrote, byte for byte: of a member that is there twice, readers take different ones.

    Raises:
        ValueError: it was not.
    """
    said = decoder.decode(text)
    if msgspec.json.encode(said) != text:
        raise ValueError("written otherwise than we write it")
    return said


def _read(said: _Claims) -> WorkerClaims:
    return WorkerClaims(
        jti=said.jti,
        project=said.proj,
        tenant=TenantId(said.org),
        worker_id=said.sub,
        registration_id=said.reg,
        scopes=said.scope,
        expires_at=datetime.fromtimestamp(said.exp, UTC),
    )


def _bytes_of(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _is_canonical(segment: str) -> bool:
    """Say whether a segment is the only text for its bytes: PyJWT passes over what is none, and one token had many."""
    return len(segment) % 4 != 1 and urlsafe_b64encode(_bytes_of(segment)).rstrip(b"=").decode() == segment
