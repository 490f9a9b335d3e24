"""pydantic-ai by itself: what asking a model and listening to it costs at least, without anybody to tell."""

import json
import sys
import time

from benchmarks.servers.bare_http import Receive, Send, read_text, routed
from benchmarks.servers.listening import listen
from benchmarks.servers.speaker import speaker

_AGENT = speaker(int(sys.argv[1]))


async def run(path: str, receive: Receive, send: Send) -> None:
    """Ask the model for what `text` says; answer with the words, and when each of them was there, in seconds."""
    text = await read_text(receive)
    words: list[str] = []
    times: list[float] = []
    began = time.monotonic()
    async with _AGENT.run_stream(text) as result:
        async for word in result.stream_text(delta=True, debounce_by=None):
            times.append(time.monotonic())
            words.append(word)
    body = json.dumps({"began": began, "words": words, "times": times}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    listen(routed({"run": run}))
