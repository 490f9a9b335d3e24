"""The program on the page about following misses nothing, wherever its connection is cut."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.docs.pages import Page
from tests.docs.program import Program
from tests.docs.walk import BASE

(SAMPLE,) = Page("docs/how-to/follow-and-resume.md").samples("python")
ACCEPTED = {"position": "3f9a1c07b2de.0", "runtimeRunId": "run_1"}
FRAMES = [
    'id: 3f9a1c07b2de.1\ndata: {"type":"TEXT_DELTA","text":"one\u2028two\u0085three"}\n\n',
    'id: 3f9a1c07b2de.2\ndata: {"type":"BRANCH_RUN_COMPLETED","runtimeRunId":"run_1","status":"completed"}\n\n',
]


async def test_an_event_that_was_cut_off_behind_its_id_is_asked_for_again(tmp_path: Path) -> None:
    async with feeds([FRAMES[0].partition("data: ")[0]], FRAMES) as (url, asked):
        output = await run(url, tmp_path)

    assert asked == ["3f9a1c07b2de.0", "3f9a1c07b2de.0"]
    assert output == "one\u2028two\u0085three\ncompleted\n"


async def test_an_event_comes_once_when_the_connection_is_cut_behind_it(tmp_path: Path) -> None:
    async with feeds(FRAMES[:1], FRAMES[1:]) as (url, asked):
        output = await run(url, tmp_path)

    assert asked == ["3f9a1c07b2de.0", "3f9a1c07b2de.1"]
    assert output == "one\u2028two\u0085three\ncompleted\n"


async def run(url: str, folder: Path) -> str:
    """Run the sample and return what it prints."""
    (folder / SAMPLE.file_name).write_text(SAMPLE.text.replace(BASE, url))
    program = await Program.start(SAMPLE.file_name, folder=folder)
    return await program.output()


@asynccontextmanager
async def feeds(*connections: list[str]) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve one feed after the other, each cut off behind what is given; the positions asked for are collected."""
    left, asked = list(connections), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if length := re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE):
            await reader.readexactly(int(length[1]))
        if head.startswith("POST"):
            body = json.dumps(ACCEPTED).encode()
            writer.write(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        else:
            asked.extend(re.findall(r"(?i)^last-event-id: (\S+)", head, re.MULTILINE))
            text = "".join(left.pop(0)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n")
            # One chunk and not the last one: for whoever reads, the connection is cut.
            writer.write(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(text) + text + b"\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
