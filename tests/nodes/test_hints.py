"""Servers on one PostgreSQL hear of each other at once, without looking: here they look once an hour."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from tests.crash.questions import accepted, asked, said
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.nodes.pair import NEVER_SECONDS, Pair, lines_of, same_log
from tests.sockets.talk import Talk

LONGEST_PAYLOAD = 7_999
_END_LISTENERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE application_name = ? AND datname = current_database()"
)


async def test_what_happens_at_one_server_is_followed_answered_and_interrupted_at_the_other(pair: Pair) -> None:
    async with Client(pair.here.url) as here, Client(pair.there.url) as there:
        session = await here.session()
        after = await here.position(session)
        async with (
            here.feed(session, after=after) as at_home,
            there.feed(session, after=after) as afar,
            Talk(there, session, after=after) as socket,
        ):
            await said(here, session, "/permission")
            seen = await afar.until(lambda event: event["type"] == "PERMISSION_REQUEST")
            (question,) = await asked(there, session)
            await accepted(there, session, question)
            seen += await afar.until(completed)

            await here.accepted(session, "/tokens 100000 5")
            seen += await afar.until(lambda event: event.get("text") == "tok20 ")
            interrupted = await there.http.post(f"{there.path(session)}/interrupt", json={})
            seen += await afar.until(completed)

            home = await at_home.until(_cancelled)
            await socket.until(_cancelled)
        log = await same_log(session, here, there)

    assert interrupted.status_code == 202
    assert [frame.json["status"] for frame in seen if completed(frame.json)] == ["completed", "cancelled"]
    assert [log[1:]] * 3 == [lines_of(home), lines_of(seen), socket.lines]


async def test_a_branch_that_is_deleted_at_one_server_ends_its_streams_at_the_other(pair: Pair) -> None:
    async with Client(pair.here.url) as here, Client(pair.there.url) as there:
        session = await here.session()
        await here.branch(session, "side")
        async with there.feed(session, "side") as feed:
            assert (await here.http.delete(f"/sessions/{session}/branches/side")).status_code == 204
            frames = await feed.to_end()

    assert (frames[-1].json["type"], frames[-1].json["reason"]) == ("STREAM_CLOSING", "deleted")


async def test_hints_that_are_lost_with_their_connection_cost_a_reader_nothing_but_time(pair: Pair) -> None:
    async with Client(pair.here.url) as here, Client(pair.there.url) as there:
        session = await here.session()
        run = await here.accepted(session, "/tokens 300 5")
        async with there.feed(session, after=run["position"]) as feed:
            frames = await feed.until(lambda event: event.get("text") == "tok20 ")
            ended = await RawStore(pair.url).run(_END_LISTENERS, "branchline hints")
            frames += await feed.until(completed)
        log = await same_log(session, here, there)

    assert ended == [(2,)]
    assert lines_of(frames) == log[1:]


async def test_a_server_that_is_alone_tells_nothing_and_one_in_company_tells_in_small_pieces(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    alone = make_server(url, tops_seconds=NEVER_SECONDS).start()
    told: list[str] = []
    listener = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        await listener.add_listener("branchline", lambda *notified: told.append(str(notified[-1])))
        async with Client(alone.url) as client:
            sessions = [await client.session() for _ in range(120)]
            await client.ended(sessions[0], (await client.accepted(sessions[0], "/tokens 50"))["runtimeRunId"])
            await _presence(told)
            while_alone = [each for each in told if "hint" in each]
            make_server(url).start()
            await asyncio.gather(*(client.accepted(session, "/tokens 50 20") for session in sessions))
            await seconds_until(lambda: _anything(told, '"moved"'), within=20)
    finally:
        await listener.close()

    assert while_alone == []
    assert max(len(each) for each in told) <= LONGEST_PAYLOAD


def _cancelled(event: dict[str, Any]) -> bool:
    return completed(event) and event["status"] == "cancelled"


async def _presence(told: list[str]) -> None:
    """Wait until a server has shown once more that it is there: what it told before has come by then."""
    before = len(told)
    await seconds_until(lambda: _more(told, before), within=20)


async def _more(told: list[str], before: int) -> bool:
    return len(told) > before


async def _anything(told: list[str], words: str) -> bool:
    return any(words in each for each in told)
