"""Where workers reach the server."""

from typing import Any

from litestar import Request


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return the address that was configured, else the one that was asked; without a slash at its end."""
    configured: str | None = request.app.state.server.settings.public_url
    return configured or str(request.base_url).rstrip("/")
