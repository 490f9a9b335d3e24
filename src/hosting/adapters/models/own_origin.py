"""HTTP that stays where it was sent."""

from typing import Any
from urllib.parse import urlsplit

import httpx2

from hosting.adapters.models.toolset_failed import ToolsetFailed


def client_of_origin(url: str, *, headers: dict[str, str], timeout: httpx2.Timeout) -> httpx2.AsyncClient:
    """Return a client that goes to the origin of a URL alone, also when it is redirected: its headers may be keys."""
    home = _origin(url)

    async def stay(request: httpx2.Request) -> None:
        if _origin(str(request.url)) != home:
            raise ToolsetFailed("It redirects to another host, which is not followed.")

    hooks: dict[str, list[Any]] = {"request": [stay]}
    return httpx2.AsyncClient(
        headers=headers, timeout=timeout, follow_redirects=True, max_redirects=5, event_hooks=hooks
    )


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
