"""A crowd of one tenant's users, in a process of its own: `python -m tests.overload.crowd BASE KEY RATE SECONDS USERS`.

Each user has a session and a connection, and sends inputs one after the other; together they send RATE a second, or as
fast as they are answered when that is 0. Prints what came of it, as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

_LONGEST_SECONDS = 30
_INPUT = json.dumps({"text": "/tokens 3", "runningRunBehavior": "queue"}).encode()


@dataclass
class Outcome:
    """How often each status came back, how long each accepted input took, and how many refusals named no time."""

    statuses: dict[str, int]
    times: list[float]
    without_advice: int = 0
    broken: int = 0
    took: float = 0.0

    def per_second(self, status: int = 202) -> float:
        """Return how many answers of a kind came in a second."""
        return self.statuses.get(str(status), 0) / self.took

    def quantile(self, part: float) -> float:
        """Return how long such a part of the accepted inputs took at most."""
        return self.times[min(int(len(self.times) * part), len(self.times) - 1)]

    @property
    def refused(self) -> int:
        """How many were refused in good order."""
        return self.statuses.get("429", 0) + self.statuses.get("503", 0)


@dataclass
class _Tally:
    statuses: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    without_advice: int = 0
    broken: int = 0


async def crowd(base: str, key: str, *, rate: float, seconds: float, users: int) -> Outcome:
    """Let a crowd do its work in a process of its own, and return what came of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.overload.crowd",
        *(base, key, str(rate), str(seconds), str(users)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0
    return Outcome(**json.loads(output))


class _User:
    def __init__(self, base: str, key: str, tally: _Tally) -> None:
        parts = urlsplit(base)
        self._place = parts.hostname or "", parts.port or 80
        self._head = f"Host: {parts.hostname}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        self._tally = tally
        self._path = ""

    async def arrive(self) -> None:
        """Connect, and make a session, however often that takes."""
        self._reader, self._writer = await asyncio.open_connection(*self._place)
        while True:
            status, _, body = await self._post("/sessions", b"{}")
            if status == 201:
                session = json.loads(body)["id"]
                self._path = f"/agents/demo/sessions/{session}/branches/main/inputs"
                return
            await asyncio.sleep(0.2)

    async def say(self) -> None:
        """Send an input."""
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                status, advised, _ = await self._post(self._path, _INPUT)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self._tally.broken += 1
            self._writer.close()
            self._reader, self._writer = await asyncio.open_connection(*self._place)
            return
        self._tally.statuses[str(status)] += 1
        if status == 202:
            self._tally.times.append(time.perf_counter() - begun)
        elif status in {429, 503} and not advised:
            self._tally.without_advice += 1

    async def leave(self) -> None:
        """Disconnect."""
        self._writer.close()

    async def _post(self, path: str, body: bytes) -> tuple[int, bool, bytes]:
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lines = answer.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        said = await self._reader.readexactly(length)
        if b"connection: close" in lines:
            self._writer.close()
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        return int(answer[9:12]), any(line.startswith(b"retry-after:") for line in lines), said


async def _play(base: str, key: str, rate: float, seconds: float, users: int) -> Outcome:
    tally = _Tally()
    everybody = [_User(base, key, tally) for _ in range(users)]
    for user in everybody:
        await user.arrive()
    begun = time.perf_counter()
    until = begun + seconds

    async def act(user: _User, number: int) -> None:
        turn = begun + (number / rate if rate else 0)
        while (now := time.perf_counter()) < until:
            await asyncio.sleep(max(0.0, turn - now))
            await user.say()
            # Whoever was kept waiting sends what it has missed at once: the crowd does not slow down with the server.
            turn = max(turn + users / rate, time.perf_counter() - 1) if rate else 0

    await asyncio.gather(*(act(user, number) for number, user in enumerate(everybody)))
    took = time.perf_counter() - begun
    for user in everybody:
        await user.leave()
    return Outcome(dict(tally.statuses), sorted(tally.times), tally.without_advice, tally.broken, took)


def main() -> None:
    """Play it."""
    base, key, rate, seconds, users = sys.argv[1:]
    outcome = asyncio.run(_play(base, key, float(rate), float(seconds), int(users)))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
