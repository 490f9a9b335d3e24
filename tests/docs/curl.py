"""A line of curl: run as it stands, or read and done with the harness where there is no curl."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import httpx

from tests.harness.feed import Feed, Frame


@dataclass
class CurlLine:
    """What a line of curl asks for; `follows` says that it does so without an end."""

    url: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    form: str | None = None
    follows: bool = False
    arguments: list[str] = field(default_factory=list)

    @property
    def starts_a_run(self) -> bool:
        """Whether it is for a branch that is free; answers, interrupts and inputs that wait come to a busy one."""
        return (
            self.method == "POST"
            and (self.body is None or "runningRunBehavior" not in self.body)
            and (self.url.rpartition("/")[2] not in {"responses", "interrupt", "content"})
        )

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line; an option that is not known here fails the test."""
        command, *arguments = shlex.split(line)
        assert command == "curl"
        read = cls(arguments=arguments)
        words = iter(arguments)
        for word in words:
            if word == "-X":
                read.method = next(words)
            elif word == "-H":
                name, _, value = next(words).partition(": ")
                read.headers[name] = value
            elif word == "-d":
                read.body = next(words)
            elif word == "-F":
                read.form = next(words)
            elif word == "-N":
                read.follows = True
            elif word in {"-s", "-i"}:
                # Without a meter, or with the head: neither changes how it is read here.
                continue
            else:
                assert word.startswith("http://"), f"curl with {word!r} is not understood: {line}"
                read.url = word
        return read


class Runner(Protocol):
    """Does what a line of curl says."""

    async def ask(self, line: CurlLine) -> tuple[int, str]:
        """Return the status and the body."""
        ...

    def follow(self, line: CurlLine) -> "Follow":
        """Begin to follow, when entered."""
        ...


class Follow(Protocol):
    """Frames, as they come."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def frame(self) -> Frame | None:
        """Return the next frame; None at the end."""
        ...


class WithHarness:
    """Reads the line and does the same."""

    async def ask(self, line: CurlLine) -> tuple[int, str]:
        """See Runner.ask."""
        async with httpx.AsyncClient(verify=False) as client:
            response = await client.request(
                line.method, line.url, headers=line.headers, content=line.body, files=_files(line.form)
            )
        return response.status_code, response.text

    def follow(self, line: CurlLine) -> Follow:
        """See Runner.follow."""
        parts = urlsplit(line.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return Feed(f"http://{parts.netloc}", path, last_event_id=line.headers.get("Last-Event-ID"))


def _files(form: str | None) -> dict[str, tuple[str, bytes, str]] | None:
    """Return what `field=@file;type=a/b` brings along."""
    if form is None:
        return None
    name, _, given = form.partition("=@")
    path, _, kind = given.partition(";type=")
    return {name: (path, Path(path).read_bytes(), kind)}


class WithCurl:
    """Runs curl itself."""

    async def ask(self, line: CurlLine) -> tuple[int, str]:
        """See Runner.ask."""
        process = await _curl("--write-out", "\n%{http_code}", *line.arguments)
        output, _ = await process.communicate()
        text, _, status = output.decode().rpartition("\n")
        return int(status), text

    def follow(self, line: CurlLine) -> Follow:
        """See Runner.follow."""
        return _CurlFollow(line)


class _CurlFollow:
    def __init__(self, line: CurlLine) -> None:
        self._line = line
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await _curl(*self._line.arguments)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def frame(self) -> Frame | None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            return Frame.parse((await self._process.stdout.readuntil(b"\n\n"))[:-2])
        except asyncio.IncompleteReadError:
            return None


async def _curl(*arguments: str) -> asyncio.subprocess.Process:
    # Silent: it complains of a feed whose server was killed, which the page does; what fails shows in its status.
    return await asyncio.create_subprocess_exec("curl", "--silent", *arguments, stdout=asyncio.subprocess.PIPE)


@asynccontextmanager
async def followed(follow: Follow) -> AsyncIterator["Followed"]:
    """Read frames beside whatever else happens."""
    async with follow:
        seen = Followed()
        reading = asyncio.create_task(seen.read(follow))
        try:
            yield seen
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


class Followed:
    """The frames that have come so far."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._grown = asyncio.Condition()

    @property
    def types(self) -> list[str]:
        """The types of the events among them."""
        return [frame.json["type"] for frame in self.frames if frame.data is not None]

    async def read(self, follow: Follow) -> None:
        """Read until the end."""
        while (frame := await follow.frame()) is not None:
            async with self._grown:
                self.frames.append(frame)
                self._grown.notify_all()

    async def until(self, wanted: str, *, times: int = 1) -> None:
        """Wait until an event type has come so many times."""
        async with asyncio.timeout(30), self._grown:
            await self._grown.wait_for(lambda: self.types.count(wanted) >= times)

    async def opened(self) -> Frame:
        """Wait for the first frame."""
        async with asyncio.timeout(30), self._grown:
            await self._grown.wait_for(lambda: bool(self.frames))
        return self.frames[0]
