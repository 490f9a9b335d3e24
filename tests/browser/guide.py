"""The page about a client in the browser, done as it says: its files served by its command, to a server it names."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.docs.pages import Page
from tests.docs.program import Program

GUIDE = Page("docs/how-to/a-client-in-the-browser.md")
SERVE, SERVE_FILES = (sample.text.strip() for sample in GUIDE.samples("sh"))
SERVER = "http://127.0.0.1:8000"
SITE = "http://127.0.0.1:8080"


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[str]:
    """Serve a folder's files by the command of the page, on a free port, and yield the origin."""
    assert SERVE_FILES.startswith("python -m http.server 8080 ")
    program = await Program.start(*shlex.split(SERVE_FILES.replace("8080", "0"))[1:], folder=folder)
    try:
        yield (await program.find(r"\((http://127\.0\.0\.1:\d+)/\)"))[1]
    finally:
        await program.kill()


def settings(origin: str) -> dict[str, str]:
    """Return what the page sets for the server, for a site that is really there."""
    found = re.fullmatch(r"BRANCHLINE_(\w+)=(\S+) branchline serve", SERVE)
    assert found is not None
    assert found[2] == SITE
    return {found[1].lower(): origin}


def write_files(folder: Path, server_url: str) -> None:
    """Write the files of the page, for a server that is really there."""
    for sample in GUIDE.samples("html", "js"):
        (folder / sample.file_name).write_text(sample.text.replace(SERVER, server_url))
