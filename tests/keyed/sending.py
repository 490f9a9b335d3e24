"""Requests with a key, and what may be said of their answers."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

REPLAYED = "idempotency-replayed"
SHOWN = ("content-type", "location")


@dataclass(frozen=True)
class Sent:
    """A request that may be sent again; `other` is another body for the same place, if one counts there."""

    path: str
    body: dict[str, Any] | None
    other: dict[str, Any] | None = None


def keyed(key: str) -> dict[str, str]:
    """Return the header."""
    return {"Idempotency-Key": key}


async def send(http: httpx.AsyncClient, path: str, body: dict[str, Any] | None, key: str) -> httpx.Response:
    """Post under a key."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **keyed(key)}
    return await http.post(path, content=content, headers=headers)


def is_first(response: httpx.Response) -> bool:
    """Say whether this is the answer to a request that had an effect."""
    return response.is_success and REPLAYED not in response.headers


def is_again(response: httpx.Response, first: httpx.Response) -> bool:
    """Say whether this is a first answer given again, byte for byte."""
    shown = [response.headers.get(name) == first.headers.get(name) for name in SHOWN]
    same = (response.status_code, response.content) == (first.status_code, first.content)
    return same and all(shown) and response.headers.get(REPLAYED) == "true"


def code_of(response: httpx.Response) -> str:
    """Return the code of a refusal."""
    assert response.is_error, response.text
    return str(response.json()["code"])
