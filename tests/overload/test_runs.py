"""The runs that a node works on are bounded; who asks for more hears so early, and what makes room is let through."""

import asyncio
import json
from collections.abc import Callable

from hosting.domain.identity import Role
from tests.edge.deadline import seconds_until
from tests.edge.wire import Wire
from tests.harness.process import ServerProcess
from tests.overload.tenant import code, path, tenant
from tests.sockets.raw import TEXT, frame

Make = Callable[..., ServerProcess]

WAITS = "/permission"
LARGE = 1 << 20


async def test_inputs_that_would_begin_too_many_runs_are_refused_until_some_have_ended(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, runs=2, runs_per_tenant=1, key_file=_keys(make_server, database_url)).start()
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
