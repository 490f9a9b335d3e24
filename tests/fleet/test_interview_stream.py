"""What an agent of the fleet says, as a user interface follows it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from hosting.domain.identity import Role
from hosting.domain.relayed import INTERVIEW_OVER
from tests.fleet.gate import Gate
from tests.fleet.relaying import Work, begun, done
from tests.harness.client import Client
from tests.harness.feed import Feed, Frame
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker

Json = dict[str, Any]


@asynccontextmanager
async def following(work: Work, *names: str) -> AsyncIterator[list[Feed]]:
    """Follow an interview by each of these names, from behind what the stream opens with; in the end all leave."""
    async with AsyncExitStack() as stack:
        feeds = []
        for name in names:
            feed = await stack.enter_async_context(Feed(work.client.base, f"/api/interview/{name}/stream"))
            assert (feed.status, feed.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            first = await feed.frame()
            assert first is not None
            assert (first.retry, first.data, first.id) == ("2000", None, None)
            feeds.append(feed)
        yield feeds


def chunks(frames: list[Frame]) -> list[Json]:
    """Return what frames say."""
    return [json.loads(frame.data) for frame in frames if frame.data is not None]


def said(turn: str, *pieces: tuple[int, str]) -> list[Json]:
    """Return the chunks of one text."""
    deltas = [{"type": "text-delta", "id": turn, "delta": text, "index": index} for index, text in pieces]
    return [{"type": "text-start", "id": turn}, *deltas, {"type": "text-end", "id": turn}]


async def test_a_stream_has_each_piece_in_order_and_ends_with_the_run(client: Client) -> None:
    work = await begun(client)
    issue = f"{work.session}.main"

    async with following(work, work.id, issue) as feeds:
        await work.published("turn-0", *((index, f"{index} ") for index in range(20)))
        await work.published("turn-0", *((index, f"{index} ") for index in range(20)))
        async with following(work, work.id) as late:
            await work.published("turn-0", (22, "on "), done(23))
            await work.published("two", (0, "more"), done(1))
            await work.worker.told(work.id, "status", status="completed")
            read = [chunks(await feed.to_end()) for feed in (*feeds, *late)]

    rest = [*said("turn-0", (22, "on ")), *said("two", (0, "more"))]
    whole = [*said("turn-0", *((index, f"{index} ") for index in range(20)))[:-1], *rest[1:]]
    assert read == [whole, whole, rest]
    again = await client.http.get(f"/api/interview/{work.id}/stream")
    assert (again.status_code, again.content) == (204, b"")


async def test_what_is_cut_ends_and_what_the_next_worker_says_begins_anew(client: Client) -> None:
    work = await begun(client)

    async with following(work, work.id) as (feed,):
        await work.published("turn-0", (0, "cut "))
        gone = await client.http.delete(f"/api/workers/{work.worker.id}", headers=work.worker.headers)
        assert gone.status_code == 200, gone.text
        work.worker = await FleetWorker.register(client.http)
        await work.worker.claimed()
        await work.published("turn-0", (0, "whole"), done(1))
        await work.worker.told(work.id, "status", status="completed")
        read = chunks(await feed.to_end())

    assert read == said("turn-0", (0, "cut ")) + said("turn-0", (0, "whole"))


async def test_the_words_that_end_an_interview_end_the_stream_also_when_they_are_cut_in_two(client: Client) -> None:
    work = await begun(client)
    begin, end = INTERVIEW_OVER[:9], INTERVIEW_OVER[9:]

    async with following(work, work.id) as (feed,):
        await work.published("turn-0", (0, f"Bye. {begin}"))
        await work.published("turn-0", (1, end), done(2))
        read = chunks(await feed.to_end())

    assert read == said("turn-0", (0, f"Bye. {begin}"), (1, end))
    assert (await client.run(work.session, work.run))["status"] == "active"
    over = await client.http.get(f"/api/interview/{work.id}/stream")
    await work.worker.told(work.id, "status", status="completed")
    log = await client.log(work.session)
    check_log(log)
    assert over.status_code == 204
    assert [event["workItemId"] for event in log if event["type"] == "INTERVIEW_COMPLETED"] == [work.id]


async def test_who_ends_an_interview_completes_its_run_and_the_worker_hears_of_it(client: Client) -> None:
    work = await begun(client)
    names = (work.id, work.id, f"{work.session}.main")

    async with following(work, work.id) as (feed,):
        await work.published("turn-0", (0, "And "))
        ended = [await client.http.post(f"/api/interview/{name}/complete") for name in names]
        read = chunks(await feed.to_end())

    run = await client.run(work.session, work.run)
    late = await work.relay("turn-0", (1, "late"))
    replay = await work.worker.report(work.id, "status", status="completed")
    log = await client.log(work.session)
    check_log(log)
    assert [(each.status_code, each.json()) for each in ended] == [(200, {"completed": True, "sessionId": work.id})] * 3
    assert read == said("turn-0", (0, "And "))
    assert run["status"] == "completed"
    assert (late.status_code, replay.status_code) == (409, 200)
    assert len([event for event in log if event["type"] == "INTERVIEW_COMPLETED"]) == 1


async def test_an_interview_that_nobody_holds_cannot_be_completed(client: Client) -> None:
    work = await begun(client)
    await client.accepted(session := await client.session(), "Nobody has this yet.")
    await work.worker.told(work.id, "status", status="failed")

    waiting = await client.http.post(f"/api/interview/{session}.main/complete")
    failed = await client.http.post(f"/api/interview/{work.id}/complete")
    unknown = [
        (await client.http.post(f"/api/interview/{name}/complete")).status_code
        for name in ("wse_none", f"{session}.other", "a" * 400, ".", "%00", f"{await client.session()}.main")
    ]

    assert [(each.status_code, each.json()["code"]) for each in (waiting, failed)] == [
        (409, "work-transition-refused")
    ] * 2
    assert unknown == [404] * 6


async def test_a_stream_is_for_who_uses_agents_of_its_own_tenant(client: Client, gate: Gate) -> None:
    work = await begun(client)
    keys = {(tenant, role): await gate.key(tenant, role) for tenant in ("local", "stranger") for role in Role} | {
        ("local", "token"): work.worker.token
    }

    told = {}
    for (tenant, role), key in keys.items():
        async with gate.client(key) as http:
            for name in (work.id, f"{work.session}.main"):
                async with http.stream("GET", f"/api/interview/{name}/stream") as answer:
                    told[tenant, str(role), name == work.id] = answer.status_code

    expected = {
        ("local", "user"): 200,
        ("local", "operator"): 200,
        ("local", "worker"): 403,
        ("local", "token"): 403,
        ("stranger", "user"): 404,
        ("stranger", "operator"): 404,
        ("stranger", "worker"): 403,
    }
    assert told == {(*who, by_id): status for who, status in expected.items() for by_id in (True, False)}


async def test_an_item_that_waits_for_its_turn_is_followed_from_its_own_beginning(
    client: Client, server: ServerProcess
) -> None:
    work = await begun(client)
    body = {"text": "And then?", "runningRunBehavior": "queue"}
    queued = (await client.http.post(f"{client.path(work.session)}/inputs", json=body)).json()
    store = RawStore(server.database_url)
    ((parked,),) = await store.run("SELECT id FROM work_items WHERE run_id = ?", queued["runtimeRunId"])

    async with following(work, parked) as (feed,):
        await work.published("turn-0", (0, "first"), done(1))
        await work.worker.told(work.id, "status", status="completed")
        assert (await work.worker.claimed())["sessionId"] == parked
        work.id = parked
        await work.published("turn-0", (0, "second"), done(1))
        await work.worker.told(work.id, "status", status="completed")
        read = chunks(await feed.to_end())

    assert read == said("turn-0", (0, "second"))


async def test_a_stream_shows_that_it_lives_and_ends_when_the_server_leaves(
    make_server: Callable[..., ServerProcess], sqlite_url: str, key_file: Path
) -> None:
    server = make_server(sqlite_url, key_file=key_file, heartbeat_seconds=0.05).start()
    async with Client(server.url) as client:
        work = await begun(client)

        async with following(work, work.id) as (feed,):
            beat = await feed.frame()
            assert server.terminate() == 0
            last = (await feed.to_end())[-1]

    assert beat is not None
    assert (beat.comments, beat.data, beat.id) == (["heartbeat"], None, None)
    assert (last.comments, last.data) == (["closing"], None)
    assert last.retry is not None
