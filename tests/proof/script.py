"""What a client does to a server that may die at any moment, and what it knows of it afterwards."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path

import httpx

from tests.harness.client import Client
from tests.harness.conversation import answer_to
from tests.harness.feed import Feed
from tests.harness.order import check_log
from tests.interrupt.talk import Talk

TOKENS = 230
"""Each is a commit of its own when none is slower than the pause between two, which is as long for that."""
_SECONDS = 60


class Script:
    """One session: a run that asks and is answered, a fork, a run that streams, and one that waits behind it.

    What was acknowledged and what was seen is in a file of its own, on the disk before the next step.
    """

    def __init__(self, session: str, ledger: Path) -> None:
        self.session = session
        self.path = ledger
        self._file = ledger.open("a")
        self.is_done = False

    async def play(self, base: str) -> None:
        """Do all of it, or as much as the server lives to see."""
        try:
            with suppress(httpx.HTTPError, OSError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_SECONDS), Client(base) as client:
                    await self._play(client)
                    self.is_done = True
        finally:
            self._file.close()

    async def _play(self, client: Client) -> None:
        await client.session(self.session)
        self._note("session", self.session)
        async with client.feed(self.session) as feed:
            asking = await client.accepted(self.session, "/permission")
            self._note("run", asking["runtimeRunId"])
            request = await self._until(feed, "PERMISSION_REQUEST")
            answer = await client.http.post(
                f"{client.path(self.session)}/responses", json=answer_to(request, approved=True)
            )
            assert answer.status_code == 200, answer.text
            self._note("answer", request["permissionId"])
            await self._until(feed, "BRANCH_RUN_COMPLETED")
            fork = {"fromMessageId": asking["messageId"], "newBranchId": "fork"}
            forked = await client.http.post(f"{client.path(self.session)}/fork", json=fork)
            assert forked.status_code == 201, forked.text
            self._note("branch", "fork")
            streaming = await client.accepted(self.session, f"/tokens {TOKENS} 8")
            self._note("run", streaming["runtimeRunId"])
            waiting = await Talk(client, self.session).say("Hi", "queue")
            self._note("run", waiting["runtimeRunId"])
            for _ in range(2):
                await self._until(feed, "BRANCH_RUN_COMPLETED")

    async def _until(self, feed: Feed, wire_type: str) -> dict[str, str]:
        while (frame := await feed.event()) is not None:
            self._note("seen", frame.data)
            if frame.json["type"] == wire_type:
                return frame.json
        raise ConnectionResetError

    def _note(self, kind: str, what: object) -> None:
        self._file.write(f"{json.dumps([kind, what])}\n")
        self._file.flush()
        os.fdatasync(self._file.fileno())


async def reckon(base: str, ledger: Path, session: str, *, seconds: float) -> list[str]:
    """Compare a ledger with what a server has, let what it took up come to its end; return what is wrong."""
    noted = _read(ledger)
    known = {kind: [what for each, what in noted if each == kind] for kind in ("session", "run", "answer", "branch")}
    faults: list[str] = []
    async with Client(base) as client:
        listed = await client.http.get(f"/sessions/{session}/branches/main/runs")
        if listed.status_code == 404:
            return [f"lost {noted}"] if noted else []
        try:
            await _resolve(client, session, seconds=seconds)
        except TimeoutError:
            faults.append("a run was not resolved")
        runs = {run["runtimeRunId"] for run in listed.json()}
        faults += [f"lost run {run}" for run in known["run"] if run not in runs]
        lines = await client.log_lines(session)
        held = set(lines)
        faults += [f"lost event {what[:200]}" for kind, what in noted if kind == "seen" and what not in held]
        log = [json.loads(line) for line in lines]
        answers = [event["permissionId"] for event in log if event["type"] == "PERMISSION_RESPONSE"]
        faults += [f"lost answer {answer}" for answer in known["answer"] if answers.count(answer) != 1]
        for branch in known["branch"]:
            check_log(await client.log(session, branch))
    check_log(log)
    return faults


def _read(ledger: Path) -> list[tuple[str, str]]:
    return [(kind, what) for kind, what in map(json.loads, ledger.read_text().splitlines())]


async def _resolve(client: Client, session: str, *, seconds: float) -> None:
    """Answer what is asked until nothing runs and nothing waits any more."""
    talk = Talk(client, session)
    async with asyncio.timeout(seconds):
        while await talk.get("runs/active") is not None:
            for question in await talk.get("interactions"):
                await talk.post("responses", answer_to(question["request"], approved=True))
            await asyncio.sleep(0.05)
