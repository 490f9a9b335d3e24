"""The runs that a node works on are bounded; who asks for more hears so early, and what makes room is let through."""

import json
from collections.abc import Callable

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.overload.tenant import Tenant, code, path, tenant
from tests.sockets.raw import TEXT, frame

Make = Callable[..., ServerProcess]

WAITS = "/permission"


async def test_inputs_that_would_begin_too_many_runs_are_refused_until_some_have_ended(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, runs=2, runs_per_tenant=1).start()
    first, second, third = [await tenant(server, name) for name in ("first", "second", "third")]
    busy, _ = await first.begin(WAITS)
    session, others = await first.session(), await third.session()

    too_many = await first.send(session, "more")
    # It would wait anyway, or be refused anyway.
    queued = await first.send(busy, "later", runningRunBehavior="queue")
    active = await first.send(busy, "more")
    await second.begin(WAITS)
    overloaded = await third.send(others, "more")
    interrupted = await first.ask("POST", f"{path(busy)}/interrupt", {})
    # The queued one takes its place, and ends.
    freed = await seconds_until(lambda: _is_accepted(first, session), within=10)

    assert (too_many.status, code(too_many)) == (429, "too-many-runs")
    assert (queued.status, queued.json["status"]) == (202, "queued")
    assert (active.status, active.json["code"]) == (409, "branch-run-active")
    assert (overloaded.status, code(overloaded)) == (503, "overloaded")
    assert interrupted.status == 202
    assert freed < 10


async def test_what_begins_no_run_here_is_taken_however_many_there_are(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, runs_per_tenant=1).start()
    user = await tenant(server, "first")
    asked, elsewhere = await user.session(), await user.session()
    first = await user.keyed(asked, "once", "/permission")
    worker = await user.ask("POST", "/agents", {"name": "far", "config": {"runtime": "worker"}})

    again = await user.keyed(asked, "once", "/permission")
    for_worker = await user.send(elsewhere, "for a worker", agent=worker.json["id"])
    behind_it = await user.send(elsewhere, "behind it", runningRunBehavior="queue")
    ended = await user.ask("POST", f"{path(elsewhere)}/inputs", {"type": "INTERRUPTION_REQUEST"})

    assert (first.status, worker.status) == (202, 201)
    assert (again.status, again.body) == (202, first.body)
    assert (for_worker.status, for_worker.json["status"]) == (202, "active")
    assert (behind_it.status, behind_it.json["status"]) == (202, "queued")
    assert ended.status == 202


async def test_a_run_at_the_other_server_is_interrupted_however_many_there_are_here(
    make_server: Make, postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    here, there = make_server(url, runs_per_tenant=1).start(), make_server(url).start()
    async with Client(here.url) as full, Client(there.url) as other:
        await full.accepted(await full.session(), WAITS)
        session = await other.session()
        await other.accepted(session, WAITS)

        queued = await full.http.post(f"{path(session)}/inputs", json={"text": "x", "runningRunBehavior": "queue"})
        interrupted = await full.http.post(f"{path(session)}/inputs", json={"type": "INTERRUPTION_REQUEST"})

    assert (queued.status_code, queued.json()["status"]) == (202, "queued")
    assert interrupted.status_code == 202


async def test_a_frame_that_would_begin_a_run_too_many_ends_its_socket_with_the_reason(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, runs_per_tenant=1).start()
    user = await tenant(server, "first")
    await user.begin(WAITS)
    session = await user.session()

    async with user.socket(session) as (switched, wire):
        await wire.write(frame(TEXT, json.dumps({"type": "USER_TEXT_INPUT", "text": "more"}).encode()))
        said = await wire.read_until(b"too-many-runs")

    assert switched.status == 101
    # 1008, and the reason behind it.
    assert b"\x03\xf0too-many-runs" in said


async def test_runs_that_were_there_before_are_all_taken_up_when_there_is_room(
    make_server: Make, sqlite_url: str
) -> None:
    with make_server(sqlite_url) as before:
        user = await tenant(before, "first")
        runs = [await user.begin(WAITS) for _ in range(3)]
        before.kill()
    server = make_server(sqlite_url, runs=2, sweep_seconds=0.05).start()
    user = Tenant(server, user.shown.rpartition(" ")[2])

    waiting = [session for session, _ in runs]
    for session in waiting:
        # Each one that ends makes room for one that has not been taken up.
        await seconds_until(lambda session=session: _is_interrupted(user, session), within=10)
    statuses = [await user.ask("GET", f"/sessions/{session}/branches/main/runs/active") for session in waiting]

    assert [answer.body for answer in statuses] == [b"null"] * 3


async def _is_interrupted(user: Tenant, session: str) -> bool:
    await user.ask("POST", f"{path(session)}/interrupt", {})
    return (await user.ask("GET", f"/sessions/{session}/branches/main/runs/active")).body == b"null"


async def _is_accepted(user: Tenant, session: str) -> bool:
    return (await user.send(session, "more")).status == 202
