"""A service that is called over HTTP."""

import base64
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import httpx2
import msgspec

from events.tools import ToolBinary, ToolResult
from hosting.adapters.models.openapi_request import OperationRequest
from hosting.adapters.models.own_origin import client_of_origin
from hosting.adapters.models.secrets import Secrets, revealed
from hosting.adapters.models.toolset_failed import ToolsetFailed
from hosting.domain.toolset_config import OpenApiTools

_MOST_BYTES: Final = 256 << 10
_MOST_OF_ERROR: Final = 2_000
_MORE_PATIENCE: Final = 5.0


class Service:
    """Sends requests, and makes results of what comes back; its headers never show up in them."""

    def __init__(self, described: OpenApiTools, environment: Mapping[str, str]) -> None:
        variables = {name: environment[of] for name, of in described.header_variables.items()}
        self._headers = {**revealed(described.headers), **variables}
        self._secrets = Secrets(self._headers.values())
        self._described = described
        self._client: httpx2.AsyncClient | None = None

    async def call(self, request: OperationRequest) -> ToolResult:
        """Send a request, and return what it came to.

        Raises:
            ToolsetFailed: the service cannot be reached, or answers that it failed.
        """
        url = self._described.base_url.rstrip("/") + request.path
        client = self._opened()
        # What the operator says goes before what a model says.
        own = {name.lower() for name in self._headers}
        headers = {name: value for name, value in request.headers.items() if name.lower() not in own}
        try:
            async with client.stream(request.method, url, headers=headers, content=request.content) as response:
                body, is_whole = await _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            kind = type(error).__name__
            raise ToolsetFailed(f"The service {self._described.name} cannot be reached ({kind}).") from error
        if not response.is_success:
            raise ToolsetFailed(self._failure(response, body))
        return self._result(response, body, is_whole=is_whole)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            # The call's own timeout ends it first, and tells the model so.
            timeout = httpx2.Timeout(self._described.timeout_seconds + _MORE_PATIENCE)
            self._client = client_of_origin(self._described.base_url, headers=self._headers, timeout=timeout)
            # All runs share this: one that logs in must not have done so for the others.
            self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return self._client

    def _failure(self, response: httpx2.Response, body: bytes) -> str:
        text = self._secrets.hide(body[: 4 * _MOST_OF_ERROR].decode(errors="replace"))[:_MOST_OF_ERROR]
        status = f"{response.status_code} {response.reason_phrase}".strip()
        return f"The service {self._described.name} answers {status}{': ' if text else '.'}{text}"

    def _result(self, response: httpx2.Response, body: bytes, *, is_whole: bool) -> ToolResult:
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not body:
            return ToolResult(text=f"{response.status_code} {response.reason_phrase}".strip())
        if media_type.startswith("image/") and is_whole:
            return ToolResult(content=(ToolBinary(mime_type=media_type, data=base64.b64encode(body).decode()),))
        if not _is_text(media_type):
            return ToolResult(text=f"({len(body)} bytes of {media_type or 'an unknown type'}, which cannot be shown.)")
        text = self._secrets.hide(body.decode(errors="replace")).replace("\x00", "\ufffd")
        if not is_whole:
            return ToolResult(text=f"{text}\n(Cut here: the answer is longer than {_MOST_BYTES} bytes.)")
        if media_type.endswith("json"):
            try:
                # Decoded and encoded again: what is not quite JSON would break whoever reads the event.
                return ToolResult(text=text, json=msgspec.Raw(msgspec.json.encode(msgspec.json.decode(text))))
            except msgspec.DecodeError:
                pass
        return ToolResult(text=text)


async def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            return bytes(body[:_MOST_BYTES]), False
    return bytes(body), True


def _is_text(media_type: str) -> bool:
    plain = {"application/xml", "application/x-www-form-urlencoded", "application/javascript", "application/yaml"}
    return media_type.startswith("text/") or media_type.endswith(("json", "+xml", "+yaml")) or media_type in plain
