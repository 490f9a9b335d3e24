"""The runs that a node works on are bounded; who asks for more hears so early, and what makes room is let through."""

import json
from collections.abc import Callable

from tests.edge.deadline import seconds_until
from tests.edge.wire import Wire
from tests.harness.process import ServerProcess
from tests.overload.tenant import Tenant, code, path, tenant
from tests.sockets.raw import TEXT, frame

Make = Callable[..., ServerProcess]

WAITS = "/permission"
LARGE = 1 << 20


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


async def test_who_cannot_begin_a_run_hears_so_before_the_body_is_sent(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, runs_per_tenant=1).start()
    user = await tenant(server, "first")
    await user.begin(WAITS)
    session = await user.session()

    async with Wire(server.url) as wire:
        # Of the body, nothing is sent.
        answer = await wire.request("POST", f"{path(session)}/inputs", user.shown, f"Content-Length: {LARGE}")

    assert (answer.status, code(answer)) == (429, "too-many-runs")


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
