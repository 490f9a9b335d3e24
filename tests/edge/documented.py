"""Checks answers against /openapi.json: a status that a route gives and does not document is a failure."""

import re
from typing import Any

import httpx


class Documented:
    """A response hook for httpx; it remembers what it has seen."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
            for path, operations in document["paths"].items()
        ]
        self.seen: set[tuple[str, int]] = set()

    async def __call__(self, response: httpx.Response) -> None:
        """Fail when the route does not document the status with this media type."""
        operation = self._operation(response.request)
        if operation is None:
            return
        status, media_type = str(response.status_code), response.headers["content-type"].partition(";")[0]
        name = operation["operationId"]
        assert status in operation["responses"], f"{name} answers {status}, which /openapi.json does not say"
        assert media_type in operation["responses"][status]["content"], f"{name} answers {status} with {media_type}"
        self.seen.add((name, response.status_code))

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        path = request.url.raw_path.decode().partition("?")[0]
        for pattern, operations in reversed(self._paths):
            if pattern.fullmatch(path) and request.method.lower() in operations:
                found: dict[str, Any] = operations[request.method.lower()]
                return found
        return None
