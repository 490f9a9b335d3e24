"""The time server of PyPI, over HTTP and for those with its key: `python -m tests.tools.time_over_http PORT KEY`.

By itself it speaks over stdio alone.
"""

import sys
from typing import Any, Final

import uvicorn
from mcp_server_time.server import create_server

_PORT, _KEY = sys.argv[1:3]
_APP: Final = create_server("UTC").streamable_http_app()


async def _guarded(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and (b"authorization", f"Bearer {_KEY}".encode()) not in scope["headers"]:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": f"{scope['headers']}".encode()})
        return
    await _APP(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(_guarded, port=int(_PORT), log_level="critical")
