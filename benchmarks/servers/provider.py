"""A provider of models that speaks OpenAI's chat completions and costs next to nothing.

It is asked for so many words, and how many a second (0 is as fast as it can); each says when it was said.
"""

import asyncio
import json
import time

from benchmarks.servers.bare_http import Message, Receive, Send, routed
from benchmarks.servers.listening import listen

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8")]
_CHUNK = (
    b'data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":0,"model":"speaker",'
    b'"choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n'
)


async def complete(path: str, receive: Receive, send: Send) -> None:
    """Answer `POST /v1/chat/completions`."""
    count, rate = (await _asked(receive)).split()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    began = time.monotonic()
    for index in range(int(count)):
        if float(rate):
            await asyncio.sleep(max(0.0, began + index / float(rate) - time.monotonic()))
        word = b'{"role":"assistant","content":"tok%d %d "}' % (index, time.monotonic_ns())
        await send({"type": "http.response.body", "body": _CHUNK % (word, b"null"), "more_body": True})
    await send({"type": "http.response.body", "body": _CHUNK % (b"{}", b'"stop"') + b"data: [DONE]\n\n"})


async def _asked(receive: Receive) -> str:
    body, more = b"", True
    while more:
        message: Message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return str(json.loads(body)["messages"][-1]["content"])


if __name__ == "__main__":
    listen(routed({"v1": complete}))
