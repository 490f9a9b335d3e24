"""What is sealed is opened by its own keys, for what it was sealed for, unchanged; by nothing else."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.adapters.files.key_file import KeyFile, add_key, ensure_key_file
from hosting.adapters.secrets.aes_gcm import AesGcmCipher
from hosting.domain.credential_errors import SealBroken, SealKeyGone, SealKeyMissing
from hosting.domain.signing_key import SigningKey

FIRST, SECOND = SigningKey.of("first", b"1" * 32), SigningKey.of("second", b"2" * 32)


def cipher_of(*keys: SigningKey) -> AesGcmCipher:
    """Return a cipher that has these keys, the newest last."""
    known = {key.id: key for key in keys}
    return AesGcmCipher(lambda: known)


def counting() -> Callable[[int], bytes]:
    """Return chance that is none: the numbers from 1 on."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_sealed_can_be_opened(plain: bytes, context: bytes) -> None:
    cipher = cipher_of(FIRST)

    sealed = cipher.seal(plain, context)

    assert cipher.open(sealed, context) == plain
    assert cipher.sealed_by(sealed) == "first"
    assert len(plain) < 4 or plain not in sealed


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_what_was_sealed_for_something_else_stays_closed(plain: bytes, context: bytes, other: bytes) -> None:
    cipher = cipher_of(FIRST)
    sealed = cipher.seal(plain, context)

    if other != context:
        with pytest.raises(SealBroken):
            cipher.open(sealed, other)


def test_a_change_of_any_one_bit_is_found() -> None:
    cipher = cipher_of(FIRST)
    sealed = cipher.seal(b"value", b"context")

    opened = []
    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        try:
            opened.append((at, cipher.open(bytes(changed), b"context")))
        except SealBroken:
            continue

    assert opened == []


@given(st.binary(max_size=80))
def test_what_was_never_sealed_is_refused_as_such(nonsense: bytes) -> None:
    with pytest.raises(SealBroken):
        cipher_of(FIRST).open(nonsense, b"")


def test_a_text_that_is_cut_is_refused() -> None:
    cipher = cipher_of(FIRST)
    sealed = cipher.seal(b"value", b"")

    refused = 0
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            cipher.open(sealed[:length], b"")
        refused += 1

    assert refused == len(sealed)


def test_the_same_is_never_sealed_to_the_same() -> None:
    cipher = cipher_of(FIRST)

    assert len({cipher.seal(b"value", b"") for _ in range(100)}) == 100


def test_the_newest_key_seals_and_all_open() -> None:
    before = cipher_of(FIRST).seal(b"old", b"")
    both = cipher_of(FIRST, SECOND)

    after = both.seal(b"new", b"")

    assert (both.key_id, both.sealed_by(after), both.sealed_by(before)) == ("second", "second", "first")
    assert (both.open(before, b""), both.open(after, b"")) == (b"old", b"new")


def test_what_a_key_sealed_that_is_gone_names_it() -> None:
    sealed = cipher_of(FIRST).seal(b"value", b"")

    with pytest.raises(SealKeyGone) as refused:
        cipher_of(SECOND).open(sealed, b"")

    assert refused.value.key_id == "first"
    assert "value" not in str(refused.value)


def test_another_key_of_the_same_id_opens_nothing() -> None:
    sealed = cipher_of(FIRST).seal(b"value", b"")

    with pytest.raises(SealBroken):
        cipher_of(SigningKey.of("first", b"3" * 32)).open(sealed, b"")


def test_without_any_key_nothing_is_sealed_or_opened() -> None:
    cipher, sealed = cipher_of(), cipher_of(FIRST).seal(b"value", b"")

    for attempt in (lambda: cipher.seal(b"value", b""), lambda: cipher.open(sealed, b""), lambda: cipher.key_id):
        with pytest.raises(SealKeyMissing, match="BRANCHLINE_KEY_FILE"):
            attempt()


def test_a_key_that_is_added_to_the_file_seals_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ensure_key_file(path)
    cipher = AesGcmCipher(KeyFile(path).keys)
    before = cipher.seal(b"value", b"")

    added = add_key(path)
    after = cipher.seal(b"value", b"")

    assert cipher.sealed_by(after) == added != cipher.sealed_by(before)
    assert cipher.open(before, b"") == cipher.open(after, b"") == b"value"


def test_the_form_stays_readable() -> None:
    # Stored rows have these bytes: a version that reads another form, or derives another key, cannot read them.
    keys = {FIRST.id: FIRST}
    cipher = AesGcmCipher(lambda: keys, counting())

    sealed = cipher.seal(b"value", b"context")

    assert sealed[:7] == b"\x01\x05first"
    assert sealed[7:19] == (1).to_bytes(12, "big")
    assert sealed[19:].hex() == "929f14907b9db8b3a6d0bba8d9d69ce3244af888c3"
    assert cipher.open(sealed, b"context") == b"value"
