"""Runs that are cut at a commit of the test's choice, and what must hold of them after the restart."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.crash.questions import MY_TOOLS, answered_to_the_end, counted, history, listed, message_count, said
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

ACTING = str(Path(__file__).with_name("acting.py"))
QUICK = {"lease_seconds": 1.5, "sweep_seconds": 0.1}
"""A server whose runs are taken up by the next one soon after it was killed."""

SAFE = frozenset({"look", "gate", "linger", "ask", "ask_subagent"})
"""The tools that may be called again."""

LEAVES_MARKS = frozenset({"look", "gate", "linger", "note", "gated", "stay"})
"""The tools whose work is seen outside of the log."""

Log = list[dict[str, Any]]


@dataclass(frozen=True)
class Cut:
    """Where a run is cut, and what comes of it: its status and error, and how often its tools did their work."""

    at: str
    ends: tuple[str, str | None]
    effects: int


def marks(server: ServerProcess, session: str) -> list[str]:
    """Return what agents did in a session beside writing events, in order."""
    path = server.folder / f"did-{session}"
    return path.read_text().splitlines() if path.exists() else []


async def cut(server: ServerProcess, session: str, text: str, death: str, *, agent: str = "demo") -> str | None:
    """Let a run be cut at a commit, and the server start again; return the words of that commit, None if none came.

    Everything that the run asks is answered with yes, before and after.
    """
    died = server.folder / "died"
    died.unlink(missing_ok=True)
    run = None
    async with Client(server.url) as client:
        await client.session(session)
        (server.folder / "death").write_text(death)
        try:
            run = await said(client, session, text, agent=agent, config={"clientToolInput": MY_TOOLS})
            await answered_to_the_end(client, session, run)
        except httpx.HTTPError:
            assert died.exists(), "the server died by itself"
    if await started_again(server):
        run = run or await only_run(server, session)
    if run is not None:
        async with Client(server.url) as client:
            await answered_to_the_end(client, session, run)
    (server.folder / "death").unlink(missing_ok=True)
    return died.read_text() if died.exists() else None


async def started_again(server: ServerProcess) -> bool:
    """Start a server again if it dies as was ordered, now or in a moment; return whether it does."""
    if not (server.folder / "died").exists():
        return False
    await asyncio.to_thread(server.wait)
    await asyncio.to_thread(server.start)
    return True


async def only_run(server: ServerProcess, session: str) -> str | None:
    """Return the run of a session whose client may not have heard of it; None if there is none."""
    async with Client(server.url) as client:
        runs = (await client.http.get(f"/sessions/{session}/branches/main/runs")).json()
    assert len(runs) <= 1
    return runs[0]["runtimeRunId"] if runs else None


async def reckon(server: ServerProcess, session: str, *, in_model_turns: bool = True) -> dict[str, Any]:
    """Look at a run that was cut and has ended, and return its last event: whatever the cut, this must hold.

    The order of the log is only known of agents that let others work within a model's turn, as a tool does it.
    """
    async with Client(server.url) as client:
        log = await client.log(session)
        count = await message_count(client, session)
        assert await listed(client, session) == []
        given = (await history(client, session)).partition(": ")[2].split()
    last = log[-1]
    if in_model_turns:
        check_log(log)
    _once_each(log)
    assert given[:-1] == _messages(log)
    assert count == len(given) - 1
    _effects(log, marks(server, session), last)
    return last


def _once_each(log: Log) -> None:
    counts = counted(log)
    assert (counts["BRANCH_RUN_STARTED"], counts["BRANCH_RUN_COMPLETED"]) == (1, 1)
    turns = Counter(event["messageTurnId"] for event in log if event["type"] == "MESSAGE_TURN_STARTED")
    begun = [
        event["messageTurnId"] for event in log if event["type"] == "MESSAGE_TURN_STARTED" and not event["isResume"]
    ]
    assert sorted(begun) == sorted(turns)
    for once in ("PERMISSION_REQUEST", "PERMISSION_APPROVED", "CLIENT_TOOL_INVOKE_REQUEST"):
        calls = [event["callId"] for event in log if event["type"] == once]
        assert (once, sorted(calls)) == (once, sorted(set(calls)))
    asked = [event["permissionId"] for event in log if event["type"] == "PERMISSION_REQUEST"]
    answers = [event["permissionId"] for event in log if event["type"] == "PERMISSION_RESPONSE"]
    assert set(answers) <= set(asked)
    assert len(answers) == len(set(answers))


def _messages(log: Log) -> list[str]:
    """Return the messages that the conversation has, by its log: not those that were written anew, nor nested ones."""
    anew = {event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_END" and event.get("interrupted")}
    begun = ("MESSAGE_STARTED", "TEXT_MESSAGE_START", "TOOL_CALL_START")
    said_here = [event["messageId"] for event in log if event["type"] in begun and "metadata" not in event]
    return [message for message in dict.fromkeys(said_here) if message not in anew]


def _effects(log: Log, did: list[str], last: dict[str, Any]) -> None:
    tools = {event["callId"]: event["name"] for event in log if event["type"] == "TOOL_CALL_START"}
    results = {event["callId"]: event["result"] for event in log if event["type"] == "TOOL_CALL_RESULT"}
    effects = Counter(mark.split()[1] for mark in did if " call_" in mark)
    cut_off = {call for call, result in results.items() if result.get("resultType") == "interrupted"}
    # A message that was cut while it called is written anew, with other calls; the first ones were never made.
    written_anew = {call for call in cut_off if not effects[call]} if last["status"] == "completed" else set()
    for call, name in tools.items():
        if name not in SAFE:
            assert effects[call] <= 1
        if name in LEAVES_MARKS and last["status"] == "completed" and call not in written_anew:
            assert effects[call] >= 1
    if last["status"] == "completed":
        assert cut_off == written_anew
    else:
        assert (last["status"], last["errorType"]) == ("failed", "RunLost")
        assert {tools[call] for call in cut_off} - SAFE
