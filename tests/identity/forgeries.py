"""Tokens that no server may take, built by hand: a library would not make most of them."""

import json
from typing import Any

from hosting.domain.signing_key import SigningKey
from tests.identity.tokens import decoded, encoded, signed, written

_PUBLIC_KEY = b"-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL\n-----END PUBLIC KEY-----\n"
_TWINS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def forgeries(good: str, other: str, key: SigningKey) -> dict[str, str]:
    """Return forged tokens by what is wrong with them.

    `good` and `other` are two tokens that are taken, signed with `key`; some forgeries are signed with it as well, as
    nobody could who has not got it: they show that the signature is not all that counts.
    """
    header, payload = (json.loads(decoded(segment)) for segment in good.split(".")[:2])
    return {
        **_algorithms(good, header, payload, key.reveal()),
        **_keys(header, payload, key),
        **_key_ids(header, payload, key.reveal()),
        **_headers(header, payload, key.reveal()),
        **_claims(header, payload, key.reveal()),
        **_texts(good, other, header, payload, key.reveal()),
    }


def _algorithms(good: str, header: Any, payload: Any, secret: bytes) -> dict[str, str]:
    said, signature = good.split(".")[1], good.rpartition(".")[2]
    unsigned = {name: f"{written({**header, 'alg': name})}.{said}" for name in ("none", "None", "nOnE", "NONE")}
    return {
        **{f"alg {name} without a signature": f"{token}." for name, token in unsigned.items()},
        "alg none, stripped": unsigned["none"],
        "alg none with the signature kept": f"{unsigned['none']}.{signature}",
        "alg none, signed": signed({**header, "alg": "none"}, payload, secret),
        "alg HS512, signed": signed({**header, "alg": "HS512"}, payload, secret, "sha512"),
        "alg HS384, signed": signed({**header, "alg": "HS384"}, payload, secret, "sha384"),
        "alg in small letters": signed({**header, "alg": "hs256"}, payload, secret),
        "alg RS256 signed as HS256": signed({**header, "alg": "RS256"}, payload, secret),
        "alg ES256 signed as HS256": signed({**header, "alg": "ES256"}, payload, secret),
        "alg RS256 with a long signature": f"{written({**header, 'alg': 'RS256'})}.{said}.{encoded(b'x' * 256)}",
        "HS256 signed with a public key": signed(header, payload, _PUBLIC_KEY),
        "alg missing": signed({name: value for name, value in header.items() if name != "alg"}, payload, secret),
        "alg null": signed({**header, "alg": None}, payload, secret),
        "alg a list": signed({**header, "alg": ["HS256"]}, payload, secret),
        "alg a number": signed({**header, "alg": 256}, payload, secret),
    }


def _keys(header: Any, payload: Any, key: SigningKey) -> dict[str, str]:
    wrong = {
        "another one": b"k" * 32,
        "an empty one": b"",
        "its id": key.id.encode(),
        "its own text": encoded(key.reveal()).encode(),
        "itself backwards": key.reveal()[::-1],
        "most of itself": key.reveal()[:-1],
        "secret": b"secret",
    }
    return {f"key: {name}": signed(header, payload, secret) for name, secret in wrong.items()}


def _key_ids(header: Any, payload: Any, secret: bytes) -> dict[str, str]:
    wrong: dict[str, tuple[Any, bytes]] = {
        "unknown": ("key-00000000", secret),
        "empty": ("", secret),
        "null": (None, secret),
        "a number": (1, secret),
        "a list": ([header["kid"]], secret),
        "in capitals": (header["kid"].upper(), secret),
        "with a NUL": (header["kid"] + "\x00", secret),
        "a path to an empty file": ("../../../../../../dev/null", b""),
        "a path to the environment": ("/proc/self/environ", b""),
        "a query": ("x' UNION SELECT 'key' --", b"key"),
        "long": ("k" * 2000, secret),
    }
    missing = {name: value for name, value in header.items() if name != "kid"}
    return {
        "kid missing": signed(missing, payload, secret),
        **{f"kid {name}": signed({**header, "kid": kid}, payload, own) for name, (kid, own) in wrong.items()},
    }


def _headers(header: Any, payload: Any, secret: bytes) -> dict[str, str]:
    own_key = {"kty": "oct", "k": encoded(b"k" * 32)}
    more: dict[str, tuple[dict[str, Any], bytes]] = {
        "an unknown crit": ({"crit": ["exp2"], "exp2": 1}, secret),
        "an empty crit": ({"crit": []}, secret),
        "a key of its own": ({"jwk": own_key}, b"k" * 32),
        "the address of a key": ({"jku": "http://127.0.0.1:1/keys"}, secret),
        "the address of a certificate": ({"x5u": "http://127.0.0.1:1/certificate"}, secret),
        "a compressed payload": ({"zip": "DEF"}, secret),
        "a detached payload": ({"b64": False, "crit": ["b64"]}, secret),
        "a token inside": ({"cty": "JWT"}, secret),
        "a member of no meaning": ({"x": 1}, secret),
        "typ JWT": ({"typ": "JWT"}, secret),
        "typ at+jwt": ({"typ": "at+jwt"}, secret),
        "typ in capitals": ({"typ": "WORKER+JWT"}, secret),
        "typ null": ({"typ": None}, secret),
    }
    twice = json.dumps(header, separators=(",", ":")).replace("{", '{"alg":"none",', 1).encode()
    deep = b'{"x":' + b"[" * 2500
    return {
        **{f"header with {name}": signed({**header, **members}, payload, own) for name, (members, own) in more.items()},
        "typ missing": signed({name: value for name, value in header.items() if name != "typ"}, payload, secret),
        "header with alg twice": signed(twice, payload, secret),
        "header with spaces": signed(json.dumps(header).encode(), payload, secret),
        "header of brackets": signed(deep, payload, secret),
        "header that is a list": signed([header], payload, secret),
        "header that is no JSON": signed(b"header", payload, secret),
        "header that is no UTF-8": signed(b'{"alg":"\xff"}', payload, secret),
    }


def _claims(header: Any, payload: Any, secret: bytes) -> dict[str, str]:
    changes: dict[str, dict[str, Any]] = {
        "aud another": {"aud": "branchline-users"},
        "aud a list": {"aud": ["branchline-workers"]},
        "iss another": {"iss": "https://elsewhere.example"},
        "nbf in the future": {"nbf": payload["exp"]},
        "exp a text": {"exp": str(payload["exp"])},
        "exp a fraction": {"exp": payload["exp"] + 0.5},
        "exp null": {"exp": None},
        "exp true": {"exp": True},
        "exp beyond all years": {"exp": 10**17},
        "exp beyond all numbers": {"exp": 10**400},
        "iat a text": {"iat": "now"},
        "org null": {"org": None},
        "org a list": {"org": [payload["org"]]},
        "sub a number": {"sub": 1},
        "scope a text": {"scope": "poll report"},
        "scope of numbers": {"scope": [1]},
        "a role": {"role": "operator"},
    }
    twice = json.dumps(payload, separators=(",", ":")).replace("{", '{"org":"other",', 1).encode()
    return {
        **{
            f"{left_out} missing": signed(header, {k: v for k, v in payload.items() if k != left_out}, secret)
            for left_out in payload
        },
        **{name: signed(header, {**payload, **members}, secret) for name, members in changes.items()},
        "org twice": signed(header, twice, secret),
        "claims in a list": signed(header, [payload], secret),
        "claims null": signed(header, None, secret),
        "claims that are no JSON": signed(header, b"claims", secret),
        "claims that are no UTF-8": signed(header, b'{"jti":"\xff"}', secret),
        "claims of brackets": signed(header, b'{"jti":' + b"[" * 2500, secret),
        "a token inside": signed(header, {"jti": signed(header, payload, secret)}, secret),
    }


def _texts(good: str, other: str, header: Any, payload: Any, secret: bytes) -> dict[str, str]:
    head, said, signature = good.split(".")
    of_other = other.split(".")
    twin = _TWINS[_TWINS.index(signature[-1]) ^ 1]
    return {
        "no segments": "..",
        "null": "null.null.null",
        "cut by one letter": good[:-1],
        "cut by half of the signature": good[: -len(signature) // 2],
        "cut in the claims": f"{head}.{said[:-4]}.{signature}",
        "without a signature": f"{head}.{said}.",
        "one letter of the signature changed": f"{head}.{said}.{_changed(signature)}",
        "one letter of the claims changed": f"{head}.{_changed(said)}.{signature}",
        "another text of the same signature": f"{head}.{said}.{signature[:-1]}{twin}",
        "signature padded": f"{good}=",
        "header padded": f"{head}=.{said}.{signature}",
        "letters between that decoders pass over": f"{head}.{said}.{signature[:5]}!{signature[5:]}",
        "letters of the other base64": f"{head}.{said}.{'+/' + signature[2:]}",
        "escaped as in a URL": good.replace(".", "%2E", 1) + "..",
        "letters that look alike": good.replace("e", "\u0435", 1),
        "claims of another token": f"{head}.{of_other[1]}.{signature}",
        "signature of another token": f"{head}.{said}.{of_other[2]}",
        "much more": signed(header, {**payload, "jti": "j" * 5000}, secret),
        "a second space before it": f" {good}",
    }


def _changed(segment: str) -> str:
    middle = len(segment) // 2
    return f"{segment[:middle]}{'A' if segment[middle] != 'A' else 'B'}{segment[middle + 1 :]}"
