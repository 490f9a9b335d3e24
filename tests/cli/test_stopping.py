"""Which run Ctrl-C ends, when answers get lost."""

import asyncio
import os
import signal
from datetime import UTC, datetime

import pytest

from events.ids import AgentId, MessageId, RunId, SessionId
from events.runs import BranchRunStarted
from events.turns import MessageTurnStarted
from hosting.cli.stopping import Left, Stopping
from hosting.client import BranchAddress, Client, Received
from tests.cli.peer import Peer, answer

AT = BranchAddress(AgentId("demo"), SessionId("s1"))
RUN = RunId("run_1")
CUT = b""
NOT_QUEUED = answer("409 Conflict", b'{"code":"run-not-queued","detail":"No."}', "application/problem+json")
ENDED = answer("409 Conflict", b'{"code":"branch-run-not-active","detail":"No."}', "application/problem+json")
TAKEN = answer("202 Accepted", b'{"runtimeRunId":"run_1","status":"active","position":"aaaaaaaaaaaa.1"}')


def begun(run_id: str = RUN, turn_id: str = "trn_1") -> Received:
    """Return the event of a run that begins to answer."""
    event = MessageTurnStarted(
        message_turn_id=turn_id,
        conversation_id=SessionId("s1"),
        runtime_run_id=RunId(run_id),
        agent_id=AgentId("demo"),
        agent_name="Demo",
        input_message_count=1,
    )
    return Received("aaaaaaaaaaaa.2", "{}", event)


def held(run_id: str = RUN) -> Received:
    """Return the event of a run that holds its branch, and has not begun to answer."""
    event = BranchRunStarted(
        runtime_run_id=RunId(run_id),
        agent_id=AgentId("demo"),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        message_id=MessageId("msg_1"),
    )
    return Received("aaaaaaaaaaaa.1", "{}", event)


async def stop(peer: Peer, *events: Received, within: float = 20) -> Stopping:
    """Press Ctrl-C behind some events of a run, and wait until the server has been told."""
    async with Client(peer.url) as client:
        stopping = Stopping(client, AT, RUN, attempts=3)
        for event in events:
            stopping.see(event)
        with stopping.listening(lambda: None):
            os.kill(os.getpid(), signal.SIGINT)
            async with asyncio.timeout(within):
                await stopping.work(lambda error: None)
    return stopping


def asked(peer: Peer) -> list[str]:
    """Return the methods and last words of the paths of the requests."""
    lines = [head.split("\r\n")[0].split() for head in peer.requests]
    return [f"{method} {path.rpartition('/')[2]}" for method, path, _ in lines]


async def test_an_input_whose_removal_was_not_confirmed_ends_no_run_of_somebody_else() -> None:
    async with Peer(CUT, NOT_QUEUED, TAKEN) as peer:
        with pytest.raises(TimeoutError):
            await stop(peer, begun("run_0", "trn_0"), within=3)

    assert asked(peer) == ["DELETE run_1", "DELETE run_1"]


async def test_a_run_that_began_is_interrupted_by_its_turn_until_that_is_confirmed() -> None:
    async with Peer(CUT, TAKEN) as peer:
        stopping = await stop(peer, begun())

    assert stopping.accepted
    assert asked(peer) == ["POST interrupt", "POST interrupt"]


async def test_a_run_that_waits_for_a_worker_is_interrupted_though_it_has_no_turn() -> None:
    async with Peer(NOT_QUEUED, TAKEN) as peer:
        stopping = await stop(peer, held())

    assert stopping.accepted
    assert asked(peer) == ["DELETE run_1", "POST interrupt"]


async def test_a_run_that_ends_by_itself_needs_no_interrupt() -> None:
    async with Peer(ENDED) as peer:
        stopping = await stop(peer, begun())

    assert stopping.accepted


async def press_twice(peer: Peer, turns: int) -> None:
    """Press Ctrl-C, and again when the loop has turned so many times."""
    loop = asyncio.get_running_loop()

    def press_after(left: int) -> None:
        if left:
            loop.call_soon(press_after, left - 1)
        else:
            os.kill(os.getpid(), signal.SIGINT)

    async with Client(peer.url) as client:
        stopping = Stopping(client, AT, RUN, attempts=3)
        stopping.see(begun())
        with stopping.listening(lambda: press_after(turns)):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stopping.work(lambda error: None))
                press_after(0)
                await asyncio.Event().wait()


@pytest.mark.parametrize("turns", range(25))
async def test_a_second_ctrl_c_while_connecting_leaves_without_a_complaint_of_python(turns: int) -> None:
    async with Peer(hold_last=True) as peer:
        with pytest.raises(Left):
            await press_twice(peer, turns)
