"""The time server of PyPI, over HTTP and for those with its key: `python -m tests.tools.time_over_http PORT KEY`.

By itself it speaks over stdio alone. Once it is sent SIGUSR1, calls of its tools have no end.
"""

import asyncio
import signal
import sys
import threading
from typing import Any, Final

import uvicorn
from mcp_server_time.server import create_server

_PORT, _KEY = sys.argv[1:3]
_APP: Final = create_server("UTC").streamable_http_app()
_HANGS: Final = threading.Event()


async def _guarded(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and (b"authorization", f"Bearer {_KEY}".encode()) not in scope["headers"]:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": f"{scope['headers']}".encode()})
        return

    async def receive_or_hang() -> Any:
        message = await receive()
        if _HANGS.is_set() and b'"tools/call"' in message.get("body", b""):
            await asyncio.Event().wait()
        return message

    await _APP(scope, receive_or_hang, send)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: _HANGS.set())
    uvicorn.run(_guarded, port=int(_PORT), log_level="critical")
