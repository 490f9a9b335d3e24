"""Secrets in JSON: read as such, stored sealed, and nothing that only looks so is taken for it."""

import msgspec
import pytest

from hosting.domain.config_text import read_config
from hosting.domain.definition import AgentConfig
from hosting.domain.errors import ConfigRefused
from hosting.domain.sealed import as_sealed, resealed, sealed_in

SAID = b'{"openApi":[{"baseUrl":"http://a","headers":{"K":"key-1"},"name":"a","spec":{}}]}'


def backwards(data: bytes) -> bytes:
    """Seal as nobody should."""
    return data[::-1]


def test_a_config_that_is_encoded_without_a_word_on_its_secrets_is_an_error() -> None:
    config = read_config(SAID, AgentConfig)

    for encode in (msgspec.json.encode, msgspec.to_builtins):
        with pytest.raises(TypeError, match="Secret"):
            encode(config)
    assert "key-1" not in repr(config)


def test_what_is_stored_is_read_again_and_shows_nothing() -> None:
    config = read_config(SAID, AgentConfig)

    stored = config.stored(backwards)

    assert (b"key-1" in stored, b'{"@sealed":"MS15ZWs"}' in stored) == (False, True)
    assert AgentConfig.of_stored(stored, backwards).same_as(config)
    assert AgentConfig.of_stored(SAID, backwards).same_as(config)
    assert b'"headers":{"K":"***"}' in config.shown()


def test_nobody_can_send_something_sealed() -> None:
    stored = read_config(SAID, AgentConfig).stored(backwards)

    with pytest.raises(ConfigRefused) as refused:
        read_config(stored, AgentConfig)

    assert refused.value.pointer.startswith("/openApi/0/headers")


@pytest.mark.parametrize(
    "value", [None, "x", [], {}, {"@sealed": 1}, {"@sealed": "a b"}, {"@sealed": "a"}, {"@sealed": "YQ", "x": 1}]
)
def test_what_only_looks_sealed_is_not(value: object) -> None:
    assert sealed_in(value) is None


@pytest.mark.parametrize("sealed", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_bytes_come_back_from_json_as_they_were(sealed: bytes) -> None:
    assert sealed_in(as_sealed(sealed)) == sealed


def test_only_what_is_sealed_is_sealed_anew() -> None:
    said = {"text": 'say {"@sealed":"YWI"} aloud', "key": as_sealed(b"ab"), "n": 1.50, "more": [as_sealed(b"xyz")]}

    after = msgspec.json.decode(resealed(msgspec.json.encode(said), backwards))

    assert after == {**said, "key": as_sealed(b"ba"), "more": [as_sealed(b"zyx")]}
