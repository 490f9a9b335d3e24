"""Checks answers against /openapi.json: what a route answers with and does not document is a failure."""

from typing import Any

import httpx

from tests.harness.contract import STREAM, Answer, Contract


class Documented:
    """A response hook for httpx; it remembers what it has seen."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._contract = Contract(document)
        self.seen: set[tuple[str, int]] = set()

    async def __call__(self, response: httpx.Response) -> None:
        """Fail when the route does not document the answer: its status, its media type, its code and its members."""
        path = response.request.url.raw_path.decode().partition("?")[0]
        operation = self._contract.operation(response.request.method, path)
        if operation is None:
            return
        is_stream = response.headers.get("content-type", "").startswith(STREAM)
        body = b"" if is_stream else await response.aread()
        fault = self._contract.fault(operation, Answer(response.status_code, response.headers, body))
        assert fault is None, f"{operation.id} {fault}"
        self.seen.add((operation.id, response.status_code))
