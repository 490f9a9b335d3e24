"""Live feeds and WebSockets are bounded for each tenant and in all; who is refused hears when to come back."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from hosting.domain.identity import Role
from tests.edge.deadline import seconds_until
from tests.harness.process import ServerProcess
from tests.overload.tenant import Tenant, code, tenant

Make = Callable[..., ServerProcess]


async def test_a_tenant_has_so_many_streams_and_all_have_so_many_until_some_are_closed(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, streams=3, streams_per_tenant=2).start()
    first, second = await tenant(server, "first"), await tenant(server, "second")
    session, other = await first.session(), await second.session()

    async with AsyncExitStack() as stack:
        async with first.stream(session) as opened:
            async with first.socket(session) as (switched, _), first.socket(session) as (refused, _):
                full = await first.refused(stack, session)
                let_in = await second.refused(stack, other)
                overloaded = await second.refused(stack, other)
                # All else is answered as ever.
                answered = await first.ask("GET", f"/sessions/{session}")
        freed = await seconds_until(lambda: _is_let_in(first, session), within=5)

    assert (opened.status, switched.status) == (200, 101)
    assert (refused.status, code(refused)) == (429, "too-many-streams")
    assert [full, let_in, overloaded] == ["too-many-streams", None, "overloaded"]
    assert answered.status == 200
    assert freed < 5


async def test_streams_that_workers_follow_are_counted_too(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, streams_per_tenant=1).start()
    user, worker = await tenant(server, "first"), await tenant(server, "first", Role.OPERATOR)
    session = await user.session()

    async with user.stream(session):
        answer = await worker.ask("GET", "/api/interview/none/stream")
        load = await worker.ask("GET", "/load")

    assert (answer.status, code(answer)) == (429, "too-many-streams")
    assert load.json["streams"] == {"now": 1, "most": 8000, "mostOfOne": 1, "own": 1}


async def _is_let_in(asker: Tenant, session: str) -> bool:
    async with AsyncExitStack() as stack:
        return await asker.refused(stack, session) is None
