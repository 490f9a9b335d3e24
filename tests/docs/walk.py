"""Walking through a page: every file on it is written, every command on it is done, in order, against a real server."""

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import httpx

from tests.docs.curl import CurlLine, Followed, Runner, followed
from tests.docs.pages import Page, Sample
from tests.docs.program import Program
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess

BASE = "http://127.0.0.1:8000"

_ELSEWHERE = {
    "make install": "the tests run in what it makes",
    ". .venv/bin/activate": "the tests run in it",
    "mkdir ../words": "each walk has an empty folder",
    "cd ../words": "each walk is in its folder",
}
_TAKEN = re.compile(r"([A-Z]+)=\$\((curl .*) \| (sed '[^']*')\)")
_MADE = re.compile(r"([A-Z]+)=\$\((branchline keys create [^)]*)\)")
_GIVEN = re.compile(r"echo (\S+) \| (branchline credentials set .*)")
_KEY = re.compile(r"^rs[kp]_live_\S+$", re.MULTILINE)
_OF_THE_BRANCH = {"BRANCH_METADATA_UPDATED", "BRANCH_TREE_UPDATED"}
_QUOTED = re.compile(r"('[^']*')")


class Walk:
    """A reader who does what a page says; the address, process and databases on the page stand for real ones."""

    def __init__(
        self,
        page: Page,
        folder: Path,
        *,
        sqlite_url: str,
        make_server: Callable[..., ServerProcess],
        make_database: Callable[[], Awaitable[str]],
        runner: Runner,
    ) -> None:
        self.page = page
        self.folder = folder
        self.outputs: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.follows: list[Followed] = []
        self._sqlite_url = sqlite_url
        self._make_server = make_server
        self._make_database = make_database
        self._runner = runner
        self._server: ServerProcess | None = None
        self._worker: Program | None = None
        self._base = ""
        self._active: str | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def go(self) -> None:
        """Do everything on the page; at the end every run that was started has completed."""
        for sample in self.page.samples("python", "sh"):
            if sample.language == "python":
                (self.folder / sample.file_name).write_text(sample.text)
                continue
            for line in sample.text.splitlines():
                await self._do(line)
        await self._settled()

    async def log(self, session: str) -> list[dict[str, Any]]:
        """Return what is on the main branch of a session now."""
        return await self._log(f"{self._base}/agents/demo/sessions/{session}/branches/main")

    async def _do(self, written: str) -> None:
        if taken := _TAKEN.fullmatch(written):
            self.variables[taken[1]] = await _piped(await self._curl(taken[2]), taken[3])
            return
        if made := _MADE.fullmatch(written):
            key = _KEY.search(await self._keys(made[2]))
            assert key is not None, written
            self.variables[made[1]] = key[0]
            return
        if given := _GIVEN.fullmatch(written):
            await self._run(given[2], "-m", "hosting", *shlex.split(given[2])[1:], typed=f"{given[1]}\n")
            return
        line = self._filled(written)
        words = shlex.split(line)
        settings: dict[str, str] = {}
        while re.match(r"[A-Z_]+=", words[0]):
            name, _, settings[name] = words.pop(0).partition("=")
        if line in _ELSEWHERE:
            return
        commands: dict[str, Callable[[], Awaitable[None]]] = {
            "make run": self._serve_default,
            "branchline serve": lambda: self._serve(words[2:], settings),
            "branchline send": lambda: self._run(line, "-m", "hosting", *words[1:]),
            "branchline credentials": lambda: self._run(line, "-m", "hosting", *words[1:]),
            "branchline new": lambda: self._run(line, "-m", "hosting", *words[1:]),
            "branchline keys": lambda: self._make_keys(line),
            "branchline backup": lambda: self._make_keys(line),
            "branchline check": lambda: self._make_keys(line),
            "branchline prune": lambda: self._make_keys(line),
            "branchline restore": lambda: self._restore(line, words[1:], settings),
            "branchline worker": lambda: self._work(words[1:]),
            "kill -9": self._kill_worker if words[-1] == "WORKER" else self._kill,
            "uvicorn my_server:app": lambda: self._serve_program(words),
        }
        if words[0] == "curl":
            await self._curl(line)
        elif words[0] == "python":
            await self._run(line, *words[1:])
        else:
            assert " ".join(words[:2]) in commands, f"{self.page.name} has a command that no test runs: {line}"
            await commands[" ".join(words[:2])]()

    async def _serve_default(self) -> None:
        await self._serve([], {})

    async def _serve(self, agents: list[str], settings: dict[str, str]) -> None:
        await self._settled()
        if self._server is not None:
            assert self._server.terminate() == 0
        is_postgres = "postgresql" in settings.get("BRANCHLINE_DATABASE_URL", "")
        url = await self._make_database() if is_postgres else self._sqlite_url
        about_workers = {
            name.removeprefix("BRANCHLINE_").lower(): value
            for name, value in settings.items()
            if name.startswith("BRANCHLINE_WORKER_")
        }
        self._server = self._make_server(url, *agents, **about_workers).start()
        self._base = self._server.url

    async def _serve_program(self, words: list[str]) -> None:
        await self._settled()
        program = await Program.start("-m", *words, "--port", "0", folder=self.folder)
        self._stack.push_async_callback(program.kill)
        self._base = (await program.find(r"running on (http://\S+:\d+)"))[1]

    async def _kill(self) -> None:
        """Kill the server of this page, while the active run writes a message or waits for an answer; nobody else's."""
        assert self._server is not None
        assert self._active is not None, f"{self.page.name} kills a server that does nothing"
        await self._poll(self._active, _is_worth_killing)
        self._server.kill()
        self._server, self._base = None, ""

    async def _work(self, words: list[str]) -> None:
        """Start a worker, which stays."""
        self._worker = await Program.start("-m", "hosting", *words, folder=self.folder, BRANCHLINE_URL=self._base)
        self._stack.push_async_callback(self._worker.kill)
        await self._worker.find(r"does the work of")

    async def _kill_worker(self) -> None:
        """Kill the worker that was started last, while the active run waits for an answer."""
        assert self._worker is not None
        assert self._active is not None, f"{self.page.name} kills a worker that does nothing"
        await self._poll(self._active, _is_worth_killing)
        await self._worker.kill()

    async def _run(self, line: str, *arguments: str, typed: str = "") -> None:
        await self._needs_server()
        await self._settled()
        for sample in self.page.samples("python"):
            (self.folder / sample.file_name).write_text(self._real(sample))
        replaced = [argument.replace(BASE, self._base) for argument in arguments]
        program = await Program.start(*replaced, folder=self.folder, BRANCHLINE_URL=self._base)
        self.outputs[line] = await program.output(typed)

    async def _keys(self, line: str) -> str:
        """Do something with the keys of this page's server, beside it."""
        await self._needs_server()
        assert self._server is not None
        place = {"BRANCHLINE_DATABASE_URL": self._server.database_url}
        program = await Program.start("-m", "hosting", *shlex.split(line)[1:], folder=self.folder, **place)
        self.outputs[line] = await program.output()
        return self.outputs[line]

    async def _make_keys(self, line: str) -> None:
        await self._keys(line)

    async def _restore(self, line: str, words: list[str], settings: dict[str, str]) -> None:
        """Stop this page's server and restore its database, or another one; the next server is started by the page."""
        await self._settled()
        if self._server is not None:
            assert self._server.terminate() == 0
            self._server, self._base = None, ""
        url = await self._make_database() if settings else self._sqlite_url
        program = await Program.start("-m", "hosting", *words, folder=self.folder, BRANCHLINE_DATABASE_URL=url)
        self.outputs[line] = await program.output()

    async def _curl(self, written: str) -> str:
        """Ask, and return the answer; or begin to follow."""
        await self._needs_server()
        line = CurlLine.parse(written.replace(BASE, self._base))
        if line.follows:
            seen = await self._stack.enter_async_context(followed(self._runner.follow(line)))
            opening = await seen.opened()
            assert opening.retry == "2000"
            assert opening.id is not None
            self.follows.append(seen)
            return ""
        if line.starts_a_run:
            await self._settled()
        if line.url.endswith("/interactions"):
            await self._asked(line)
        status, text = await self._runner.ask(line)
        assert status < 300, f"{written}\n{status} {text}"
        self.outputs[written] = text or str(status)
        if line.url.endswith("/inputs"):
            self._active = line.url.removesuffix("/inputs")
        elif line.method == "DELETE" and self._active is not None and "force=true" in line.url:
            # What ran there was interrupted, and nobody can look how it ended.
            self._active = None
        return text

    def _filled(self, written: str) -> str:
        """Put in the variables as a shell does: nowhere between single quotes, and none that was not set."""
        pieces = _QUOTED.split(written)
        pieces[::2] = [re.sub(r"\$([A-Z]+)", lambda name: self.variables[name[1]], piece) for piece in pieces[::2]]
        return "".join(pieces)

    async def _needs_server(self) -> None:
        if not self._base:
            await self._serve_default()

    async def _settled(self) -> None:
        """Wait until what was asked last is answered, as a reader does before asking again."""
        if self._active is not None and self._base:
            await self._poll(self._active, _ended)
            self._active = None

    async def _asked(self, line: CurlLine) -> None:
        """Wait until there is something to answer, as a reader does who has seen the run ask."""
        patience = Patience()
        async with asyncio.timeout(30):
            while True:
                status, text = await self._runner.ask(line)
                assert status == 200, text
                if text != "[]":
                    return
                await patience.wait()

    async def _poll(self, branch: str, there: Callable[[list[str]], bool]) -> None:
        patience = Patience()
        async with asyncio.timeout(30):
            while True:
                if there([event["type"] for event in await self._log(self._here(branch))]):
                    return
                await patience.wait()

    def _here(self, branch: str) -> str:
        # A server that was started again has another port.
        return self._base + branch[branch.index("/agents/") :]

    async def _log(self, branch: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(verify=False) as client:
            events: list[dict[str, Any]] = (await client.get(f"{branch}/events")).raise_for_status().json()
        return events

    def _real(self, sample: Sample) -> str:
        return sample.text.replace(BASE, self._base)


def _is_worth_killing(types: list[str]) -> bool:
    is_writing = types[-1] == "TEXT_DELTA" and types.count("TEXT_DELTA") > 3
    return is_writing or types[-1] == "PERMISSION_REQUEST"


def _ended(types: list[str]) -> bool:
    told = [each for each in types if each not in _OF_THE_BRANCH]
    return told[-1] == "BRANCH_RUN_COMPLETED"


async def _piped(text: str, command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(text.encode())
    assert process.returncode == 0, command
    return output.decode().rstrip("\n")
