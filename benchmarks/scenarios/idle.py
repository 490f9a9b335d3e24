"""B3, P5b: what a connection costs while nothing happens, and what is left of it when it is cut."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.rounds import Comparison, Figures, interleave
from benchmarks.row import Row, kibibytes
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.wire import open_feed, open_socket, post

_BRANCH: Final = "/agents/author/sessions/idle-{}/branches/main"
_WARM: Final = 50
_SETTLES_WITHIN_SECONDS: Final = 5.0
_KIB: Final = 1024
_Open = Callable[[int, int], socket.socket]


def idle(plan: Plan) -> list[Row]:
    """B3 and P5b: a thousand connections, each measured on servers that have only just started."""
    with empty_folder(plan.folder) as folder:
        with _subject(folder) as server:
            for index in range(plan.connections):
                post(server.port, "/sessions", {"sessionId": f"idle-{index}"})
        programs: dict[str, Callable[[], Figures]] = {
            "streams": lambda: _on(folder, plan, _open_stream),
            "same branch": lambda: _on(folder, plan, lambda port, _: _open_stream(port, 0)),
            "sockets": lambda: _on(folder, plan, _open_socket),
            "bare": lambda: _on_bare(plan),
            "branches": partial(_branches, folder, plan),
        }
        # Each starts servers of its own, so nothing is warmed by a round that does not count.
        found = interleave(plan.rounds, programs, warm=False)
    bare = f"bare ASGI ring {kibibytes(found.median('bare', 'each'))}"
    left = (
        f"{found.median('streams', 'left'):.0f} left, the last gone after {found.median('streams', 'gone after'):.2f} s"
    )
    return [
        _row(found, "B3", "idle SSE stream, each on a branch of its own", "streams", bare, most=32),
        _row(found, "B3", "idle SSE stream, all on one branch", "same branch", bare, most=32),
        _row(found, "B3", "idle WebSocket", "sockets", bare, most=32),
        _row(found, "B3", "stored branch that nobody follows", "branches", "", most=1),
        _row(found, "P5b", f"idle SSE stream; cut: {left}", "streams", bare, most=20, none_left=True),
    ]


@contextmanager
def _subject(folder: Path) -> Iterator[ServerProcess]:
    with ServerProcess("subject", sqlite_url(folder)) as server:
        yield server


def _on(folder: Path, plan: Plan, opened: _Open) -> Figures:
    with _subject(folder) as server:
        return _weigh(server, plan.connections, opened)


def _on_bare(plan: Plan) -> Figures:
    with ServerProcess("ring") as server:
        return _weigh(server, plan.connections, lambda port, index: open_feed(port, f"/live/{index}").socket)


def _weigh(server: ServerProcess, count: int, opened: _Open) -> Figures:
    """Return how much memory each of so many connections takes, and how many are there when they have been cut."""
    # What the first of their kind brings in belongs to none of them.
    _cut([opened(server.port, index) for index in range(min(_WARM, count))])
    sockets = _settled(server, 0)
    before = server.memory()
    wires = [opened(server.port, index) for index in range(count)]
    grown = server.memory() - before
    _cut(wires)
    began = time.monotonic()
    left = _settled(server, sockets) - sockets
    return {"each": grown / count, "left": left, "gone after": time.monotonic() - began}


def _branches(folder: Path, plan: Plan) -> Figures:
    """Return by how much a server grows with each session that is made."""
    with _subject(folder) as server:
        count = max(1, plan.connections // 2)
        # SQLite's caches grow to their full size first.
        for _ in range(count):
            post(server.port, "/sessions", {})
        before = server.memory()
        for _ in range(count):
            post(server.port, "/sessions", {})
        return {"each": (server.memory() - before) / count}


def _settled(server: ServerProcess, least: int) -> int:
    """Return how many sockets the server has open once they become no fewer, or once they are as few as can be."""
    deadline = time.monotonic() + _SETTLES_WITHIN_SECONDS
    seen = server.sockets()
    quiet_since = time.monotonic()
    while seen > least and time.monotonic() < deadline and time.monotonic() - quiet_since < 0.3:
        time.sleep(0.01)
        if (now := server.sockets()) != seen:
            seen, quiet_since = now, time.monotonic()
    return seen


def _open_stream(port: int, index: int) -> socket.socket:
    return open_feed(port, f"{_BRANCH.format(index)}/events/live").socket


def _open_socket(port: int, index: int) -> socket.socket:
    return open_socket(port, f"{_BRANCH.format(index)}/ws")


def _cut(wires: list[socket.socket]) -> None:
    for wire in wires:
        wire.close()


def _row(
    found: Comparison, row_id: str, scenario: str, program: str, beside: str, *, most: int, none_left: bool = False
) -> Row:
    each = found.median(program, "each")
    met = each <= most * _KIB
    if none_left:
        met = met and max(found.samples[program]["left"]) <= 0 and max(found.samples[program]["gone after"]) <= 1.0
    return Row(
        id=row_id,
        scenario=scenario,
        subject=kibibytes(each),
        calibration=beside,
        ratio=each / max(found.median("bare", "each"), 1.0) if beside else None,
        goal=f"<= {most} KiB" + (", none left after 1 s" if none_left else ""),
        met=met,
        load=found.load,
        samples={program: found.samples[program], "bare": found.samples["bare"]},
    )
