"""What a long load leaves behind: `python -m benchmarks.soak --minutes 10`.

Several clients at once make sessions, run agents, fork, answer, interrupt, open streams and sockets and cut them, and
delete what they made. Afterwards the server is compared with itself as it was after the first tenth of the time:
memory, sockets and other open files, threads, and the rows of every table.
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import Watch
from benchmarks.process import ServerProcess
from benchmarks.readers import allow_many_files
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.wire import get, open_feed, open_socket, post, request

_WARM_SHARE: Final = 0.1
_OWN_SOCKETS: Final = 3
"""The one that a server listens on, and the pair by which its event loop wakes itself."""
_SETTLES_WITHIN_SECONDS: Final = 5.0
_MOST_GROWTH: Final = 16 << 20
_MORE_THREADS: Final = 4
"""The threads that read SQLite come to be when they are first needed, and each opens the file and its log."""
_COMMANDS: Final = ("/tokens 200", "/tokens 5 20", "/tool", "/reason", "/fail", "hello")
_QUESTIONS: Final = ("/clarify", "/permission", "/subagent")


@dataclass(frozen=True, slots=True)
class State:
    """A server seen from outside; `memory` is bytes that are its alone, `rows` are by table."""

    memory: int
    sockets: int
    files: int
    threads: int
    rows: dict[str, int]


class _Visitor:
    """One client: does one thing after the other with a session of its own, and deletes it."""

    def __init__(self, port: int, seed: int, done: Counter[str]) -> None:
        self._port = port
        self._rng = random.Random(seed)
        self._done = done

    def visit(self) -> None:
        """Make a session, do some of everything, and leave nothing."""
        session = json.loads(post(self._port, "/sessions", {}).body)["id"]
        path = f"/agents/demo/sessions/{session}/branches/main"
        deeds: list[Callable[[str], None]] = [self._run, self._run, self._follow_and_cut, self._interrupt]
        deeds += [self._fork, self._talk_by_socket, self._ask]
        for deed in self._rng.sample(deeds, self._rng.randint(2, len(deeds))):
            deed(path)
            self._done[deed.__name__.strip("_")] += 1
        request(self._port, "DELETE", f"/sessions/{session}?force=true", allowed=(200, 204))
        self._done["sessions"] += 1

    def _run(self, path: str) -> None:
        self._submit(path, self._rng.choice(_COMMANDS))
        self._idle(path)

    def _follow_and_cut(self, path: str) -> None:
        feed = open_feed(self._port, f"{path}/events/live")
        with closing(feed.socket):
            self._submit(path, "/tokens 2000")
            feed.socket.recv(self._rng.randint(1, 50_000))
        self._idle(path)

    def _talk_by_socket(self, path: str) -> None:
        with closing(open_socket(self._port, f"{path}/ws")):
            self._submit(path, "/tokens 300")
        self._idle(path)

    def _interrupt(self, path: str) -> None:
        self._submit(path, "/slow 100000")
        request(self._port, "POST", f"{path}/interrupt", {}, allowed=(200, 202, 409))
        self._idle(path)

    def _ask(self, path: str) -> None:
        self._submit(path, self._rng.choice(_QUESTIONS))
        asked = self._until(lambda: json.loads(get(self._port, f"{path}/interactions")))
        assert asked
        request(self._port, "POST", f"{path}/interrupt", {}, allowed=(200, 202, 409))
        self._idle(path)

    def _fork(self, path: str) -> None:
        self._submit(path, "/tokens 50")
        self._idle(path)
        log = json.loads(get(self._port, f"{path}/events"))
        message = next(event["messageId"] for event in reversed(log) if event["type"] == "TEXT_MESSAGE_END")
        fork = json.loads(post(self._port, f"{path}/fork", {"fromMessageId": message}).body)["id"]
        beside = f"{path.rpartition('/')[0]}/{fork}"
        self._submit(beside, "/tokens 50")
        self._idle(beside)

    def _submit(self, path: str, text: str) -> None:
        post(self._port, f"{path}/inputs", {"text": text})

    def _idle(self, path: str) -> None:
        self._until(lambda: not any(run["status"] == "active" for run in json.loads(get(self._port, f"{path}/runs"))))

    def _until(self, look: Callable[[], object]) -> object:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.01)
        raise TimeoutError("The server did not come to it within a minute.")


def soak(folder: Path, seconds: float, visitors: int, seed: int) -> bool:
    """Load a server, print what it was like before and after, and say whether it is the same."""
    with empty_folder(folder) as made, ServerProcess("subject", sqlite_url(made)) as server:
        done: Counter[str] = Counter()
        began = _load(server, seconds * _WARM_SHARE, visitors, seed, done)
        before = _settled(server, made)
        done.clear()
        watch = Watch()
        faults = began + _load(server, seconds * (1 - _WARM_SHARE), visitors, seed + 1000, done)
        after = _settled(server, made)
        print(
            f"{seconds / 60:g} minutes, {watch.load()}: {', '.join(f'{count} {name}' for name, count in done.items())}"
        )
        return tell(before, after, faults)


def _load(server: ServerProcess, seconds: float, visitors: int, seed: int, done: Counter[str]) -> list[str]:
    deadline, faults = time.monotonic() + seconds, list[str]()

    def keep_visiting(number: int) -> None:
        visitor = _Visitor(server.port, seed + number, done)
        while time.monotonic() < deadline:
            try:
                visitor.visit()
            except Exception as error:  # noqa: BLE001 - told at the end; the others go on
                faults.append(f"{type(error).__name__}: {error}"[:300])
                return

    threads = [threading.Thread(target=keep_visiting, args=(number,), daemon=True) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def _settled(server: ServerProcess, folder: Path) -> State:
    """Return what the server is like once all that was cut has been noticed."""
    deadline = time.monotonic() + _SETTLES_WITHIN_SECONDS
    while server.sockets() > _OWN_SOCKETS and time.monotonic() < deadline:
        time.sleep(0.05)
    with closing(sqlite3.connect(f"file:{folder / 'subject.db'}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    return State(server.memory(), server.sockets(), server.files(), server.threads(), rows)


def tell(before: State, after: State, faults: list[str]) -> bool:
    """Print what has changed, and say whether that is nothing."""
    grown = after.memory - before.memory
    rows = {name: (before.rows[name], count) for name, count in after.rows.items() if count != before.rows[name]}
    checks = {
        f"memory {before.memory / 2**20:.1f} -> {after.memory / 2**20:.1f} MiB": grown <= _MOST_GROWTH,
        f"sockets {before.sockets} -> {after.sockets}": after.sockets <= before.sockets,
        f"open files {before.files} -> {after.files}": after.files <= before.files + 2 * _MORE_THREADS,
        f"threads {before.threads} -> {after.threads}": after.threads <= before.threads + _MORE_THREADS,
        f"rows {sum(before.rows.values())} -> {sum(after.rows.values())} {rows or ''}": not rows,
        f"clients that met a fault: {len(faults)} {faults[:3] or ''}": not faults,
    }
    for said, holds in checks.items():
        print(f"  {'ok    ' if holds else 'MISSED'} {said}")
    return all(checks.values())


def main() -> None:
    """Soak, and fail if anything is left."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    allow_many_files()
    with tempfile.TemporaryDirectory() as folder:
        if not soak(Path(folder), given.minutes * 60, given.clients, given.seed):
            sys.exit(1)


if __name__ == "__main__":
    main()
