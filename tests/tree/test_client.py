"""The client forks, shows the tree, and deletes."""

import asyncio
from contextlib import aclosing

import pytest

from events.ids import AgentId, BranchId, MessageId, SessionId
from events.inputs import UserTextInput
from events.text import TextDelta
from events.tree import BranchForked
from hosting.client import BranchAddress, Client, Problem
from tests.harness.process import ServerProcess

DEMO, NONE = AgentId("demo"), SessionId("none")


async def said(client: Client, at: BranchAddress, text: str) -> MessageId:
    """Say something, wait for the answer, and return the message."""
    accepted = await client.submit(at, UserTextInput(text=text))
    async with aclosing(client.follow_run(at, accepted)) as events:
        _ = [received async for received in events]
    return accepted.message_id


async def test_a_fork_is_made_drawn_followed_and_deleted(server: ServerProcess) -> None:
    async with Client(server.url) as client:
        at = BranchAddress(DEMO, await client.ensure_session())
        first = await said(client, at, "Hi")

        forked = await client.fork(at, first, BranchId("f1"), name="Another try", description="Of the first words")
        unnamed = await client.fork(at.beside(forked.id), first)
        events = client.follow(at.beside(forked.id), after=(await _beginning(client, at.beside(forked.id))))
        async with aclosing(events):
            heard = await anext(events)
        drawn = await client.tree(at.session_id)
        with pytest.raises(Problem) as refused:
            await client.delete_branch(at.beside(forked.id))
        await client.delete_branch(at.beside(forked.id), recursive=True)
        left = await client.tree(at.session_id)

    assert (forked.id, forked.name, forked.forked_from, forked.ancestors) == (
        "f1",
        "Another try",
        "main",
        {"0": "main"},
    )
    assert (forked.forked_at_message_id, forked.forked_at_message_index, forked.message_count) == (first, 0, 1)
    assert (forked.sibling_index, forked.total_siblings) == (1, 2)
    assert isinstance(heard.event, BranchForked)
    assert [(branch.branch_id, branch.forked_from, branch.children) for branch in drawn] == [
        ("main", None, ("f1",)),
        ("f1", "main", (unnamed.id,)),
        (unnamed.id, "f1", ()),
    ]
    assert refused.value.code == "has-children"
    assert [branch.branch_id for branch in left] == ["main"]


async def _beginning(client: Client, at: BranchAddress) -> str:
    """Say something on a branch, wait for the answer, and return the place of the branch's first event."""
    accepted = await client.submit(at, UserTextInput(text="Go on"))
    async with aclosing(client.follow_run(at, accepted)) as events:
        _ = [received async for received in events]
    return f"{accepted.position.partition('.')[0]}.1"


async def test_force_interrupts_what_runs_and_without_it_that_is_refused(server: ServerProcess) -> None:
    async with Client(server.url) as client:
        at = BranchAddress(DEMO, await client.ensure_session())
        first = await said(client, at, "Hi")
        other = at.beside((await client.fork(at, first)).id)
        running = [await client.submit(each, UserTextInput(text="/tokens 100000 5")) for each in (at, other)]
        async with aclosing(client.follow(other, after=running[1].position)) as events:
            while not isinstance((await anext(events)).event, TextDelta):
                continue

            codes = []
            for delete in (client.delete_branch(other), client.delete_session(at.session_id)):
                with pytest.raises(Problem) as refused:
                    await delete
                codes.append(refused.value.code)
            await client.delete_branch(other, force=True)
            async with asyncio.timeout(20):
                with pytest.raises(Problem) as gone:
                    _ = [received async for received in events]
        await client.delete_session(at.session_id, force=True)
        with pytest.raises(Problem) as missing:
            await client.tree(at.session_id)

    assert codes == ["branch-run-active"] * 2
    assert gone.value.code == "branch-not-found"
    assert missing.value.code == "session-not-found"


async def test_what_cannot_be_forked_drawn_or_deleted_is_refused_with_its_code(server: ServerProcess) -> None:
    async with Client(server.url) as client:
        at = BranchAddress(DEMO, await client.ensure_session())
        requests = [
            client.fork(at, MessageId("msg_none")),
            client.fork(BranchAddress(DEMO, NONE), MessageId("m")),
            client.tree(NONE),
            client.tree(SessionId("a b?c#d")),
            client.delete_branch(at, recursive=True, force=True),
            client.delete_branch(at.beside(BranchId("none"))),
            client.delete_branch(at.beside(BranchId("a/../main"))),
            client.delete_session(NONE, force=True),
        ]
        codes = []
        for request in requests:
            with pytest.raises(Problem) as refused:
                await request
            codes.append(refused.value.code)

    assert codes == [
        "fork-message-not-present",
        "session-not-found",
        "session-not-found",
        "session-not-found",
        "protected-branch",
        "branch-not-found",
        "not-found",
        "session-not-found",
    ]
