"""Sealing with AES-256-GCM (NIST SP 800-38D), under keys derived from those that sign tokens (HKDF, RFC 5869).

A sealed text is: a byte for the form, a byte for the length of the key's id, that id, 12 bytes of chance, and what
AES-GCM makes of the plain text. The head up to the id and the context are authenticated with it.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hosting.domain.credential_errors import SealBroken, SealKeyGone, SealKeyMissing, SealKeyUnusable
from hosting.domain.signing_key import SigningKey

SigningKeys = Callable[[], Mapping[str, SigningKey]]
"""Returns the keys there are now by their ids, the newest last."""
Usable = Callable[[], bool]
"""Says whether what is sealed with those keys now can be opened by who reads their file tomorrow."""
Randomness = Callable[[int], bytes]
"""Returns so many bytes of chance."""

_FORM: Final = 1
_HEAD: Final = 2
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
# What a key is derived for: the same secret signs tokens, and neither use may tell anything of the other's key.
_PURPOSE: Final = b"branchline credentials"


class AesGcmCipher:
    """See the door, Cipher; the newest key seals, and all open, also while their file cannot be used."""

    def __init__(
        self, keys: SigningKeys, randomness: Randomness = secrets.token_bytes, is_usable: Usable = lambda: True
    ) -> None:
        self._keys = keys
        self._is_usable = is_usable
        self._randomness = randomness
        self._derived: dict[SigningKey, AESGCM] = {}

    @property
    def key_id(self) -> str:
        """See Cipher.key_id."""
        return self._newest().id

    def check(self) -> None:
        """See Cipher.check."""
        self._all()

    def lacks(self, key_id: str) -> bool:
        """See Cipher.lacks."""
        return key_id not in self._keys()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """See Cipher.seal."""
        key = self._newest()
        head = bytes((_FORM, len(key.id))) + key.id.encode()
        nonce = self._randomness(_NONCE_BYTES)
        return head + nonce + self._of(key).encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """See Cipher.open."""
        keys, parts = self._all(), _parted(sealed)
        key = keys.get(parts.key_id)
        if key is None:
            raise SealKeyGone(parts.key_id)
        try:
            return self._of(key).decrypt(parts.nonce, parts.hidden, parts.head + context)
        except InvalidTag as error:
            raise SealBroken(parts.key_id) from error

    def sealed_by(self, sealed: bytes) -> str:
        """See Cipher.sealed_by."""
        return _parted(sealed).key_id

    def _all(self) -> Mapping[str, SigningKey]:
        keys = self._keys()
        if not keys:
            raise SealKeyMissing
        return keys

    def _newest(self) -> SigningKey:
        keys = self._all()
        if not self._is_usable():
            raise SealKeyUnusable
        return list(keys.values())[-1]

    def _of(self, key: SigningKey) -> AESGCM:
        if key not in self._derived:
            derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE).derive(key.reveal())
            self._derived[key] = AESGCM(derived)
        return self._derived[key]


class _Parts(NamedTuple):
    head: bytes
    key_id: str
    nonce: bytes
    hidden: bytes


def _parted(sealed: bytes) -> _Parts:
    end = _HEAD + sealed[1] if len(sealed) >= _HEAD else 0
    if len(sealed) < max(_HEAD, end) + _NONCE_BYTES + _TAG_BYTES or sealed[0] != _FORM:
        raise SealBroken
    try:
        key_id = sealed[_HEAD:end].decode("ascii")
    except UnicodeDecodeError as error:
        raise SealBroken from error
    behind = end + _NONCE_BYTES
    return _Parts(sealed[:end], key_id, sealed[end:behind], sealed[behind:])
