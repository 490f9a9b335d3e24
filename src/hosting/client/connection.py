"""Requests to one server, and what it means when they fail."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import httpx
import msgspec

from hosting.client.answer import read_answer
from hosting.client.errors import AddressRefused, AnswerLost, KeyRefused, ProxyRefused, ServerUnreachable
from hosting.client.insistence import insist
from hosting.client.patience import Patience

T = TypeVar("T")

# Each feed keeps one for as long as it is followed; only those that nobody uses are to be few.
_POOL: Final = httpx.Limits(max_connections=None, max_keepalive_connections=20)
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LAST_PORT: Final = 65_535


class Connection:
    """The way to a server; whoever makes one closes it.

    Every request raises these:
        ServerUnreachable: no connection came about.
        AnswerLost: the connection broke before the answer; whether the request was done is not known.
        Problem: the server refused.
        AnswerUnreadable: what answers is no server of Branchline's.
    """

    def __init__(self, url: str, key: str | None, patience: Patience) -> None:
        """Prepare to speak to the server at `url`; no connection is made yet.

        Raises:
            AddressRefused: the URL is no address of a server.
            KeyRefused: the key cannot be one.
            ProxyRefused: the environment names a proxy that cannot be used.
        """
        self._url = url
        self._patience = patience
        limits = httpx.Timeout(patience.answer.total_seconds(), connect=patience.connect.total_seconds())
        address = _checked(url)
        # Reading the authorities to verify others by takes longer than all else that a command does before it asks.
        verify = address.scheme == "https"
        try:
            self.http = httpx.AsyncClient(
                base_url=address,
                timeout=limits,
                limits=_POOL,
                verify=verify,
                headers=_shown(key),
                # What is on this machine no proxy can reach, nor is the key any of its business.
                trust_env=verify or address.host not in _HERE,
            )
        except (ImportError, ValueError) as error:
            raise ProxyRefused(str(error)) from error

    async def close(self) -> None:
        """Close what is open."""
        await self.http.aclose()

    async def get(self, path: str, wanted: type[T]) -> T:
        """Ask for something."""
        return read_answer(await self.request("GET", path), wanted)

    async def post(self, path: str, body: dict[str, Any], wanted: type[T]) -> T:
        """Post something."""
        return read_answer(await self.request("POST", path, msgspec.json.encode(body)), wanted)

    async def create(self, path: str, body: dict[str, Any], wanted: type[T], idempotency_key: str | None = None) -> T:
        """Post something that has one effect, however often it takes to hear of it; without a key it gets one."""
        content = msgspec.json.encode(body)
        key = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        answer = await insist(lambda: self.request("POST", path, content, key), self._patience)
        return read_answer(answer, wanted)

    async def put(self, path: str, body: dict[str, Any], wanted: type[T]) -> T:
        """Put something in its place."""
        return read_answer(await self.request("PUT", path, msgspec.json.encode(body)), wanted)

    async def request(
        self, method: str, path: str, content: bytes | None = None, given: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Make a request with the headers given, and return its answer whatever that is."""
        headers = dict(given or {}) if content is None else {"Content-Type": "application/json", **(given or {})}
        with self.told(f"{method} {path}"):
            return await self.http.request(method, path, content=content, headers=headers)

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Tell what goes wrong with a request in the words of this client."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServerUnreachable(self._url, _cause(error)) from error
        except httpx.TransportError as error:
            raise AnswerLost(what, _cause(error)) from error


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressRefused(url) from error
    is_port = parsed.port is None or 0 < parsed.port <= _LAST_PORT
    if parsed.scheme not in {"http", "https"} or not parsed.host or not is_port:
        raise AddressRefused(url)
    return parsed


def _shown(key: str | None) -> dict[str, str]:
    if key is None:
        return {}
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise KeyRefused
    return {"Authorization": f"Bearer {key}"}


def _cause(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
