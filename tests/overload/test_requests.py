"""Requests that wait for their turn are bounded, and so are changes that wait for the store, and bodies."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import islice

import pytest

from hosting.api.bodies import MAX_INPUT
from hosting.domain.identity import Role
from tests.edge.deadline import seconds_until
from tests.edge.wire import Answer, Wire
from tests.harness.process import ServerProcess
from tests.overload.tenant import Tenant, code, path, stalled, tenant

Make = Callable[..., ServerProcess]

MIB = 1 << 20


async def test_requests_wait_up_to_a_bound_and_a_crowd_waits_for_itself(make_server: Make, sqlite_url: str) -> None:
    bounds = {"requests_at_once": 2, "requests_at_once_per_tenant": 1, "requests_waiting_per_tenant": 1}
    server = make_server(sqlite_url, **bounds).start()
    first, second = await tenant(server, "first"), await tenant(server, "second")

    with stalled(server):
        crowd = [asyncio.create_task(first.ask("POST", "/sessions", {})) for _ in range(6)]
        refused = await _answered(crowd, 4)
        read = await second.ask("GET", "/sessions")
        lively = await second.ask("GET", "/healthz")
    answers = await asyncio.gather(*crowd)

    assert [(answer.status, code(answer)) for answer in refused] == [(429, "too-many-requests")] * 4
    assert (read.status, lively.status) == (200, 200)
    assert sorted(answer.status for answer in answers) == [201, 201, 429, 429, 429, 429]


async def test_when_too_many_wait_in_all_the_next_is_refused_whoever_it_is(make_server: Make, sqlite_url: str) -> None:
    bounds = {"requests_at_once": 1, "requests_at_once_per_tenant": 1, "requests_waiting": 1}
    server = make_server(sqlite_url, **bounds).start()
    first, second = await tenant(server, "first"), await tenant(server, "second")

    with stalled(server):
        crowd = [asyncio.create_task(first.ask("POST", "/sessions", {})) for _ in range(3)]
        await _answered(crowd, 1)
        refused = await second.ask("POST", "/sessions", {})
    answers = await asyncio.gather(*crowd)

    assert (refused.status, code(refused)) == (503, "overloaded")
    assert sorted(answer.status for answer in answers) == [201, 201, 503]


async def test_a_store_that_is_behind_takes_no_more_changes_and_is_read_as_ever(
    make_server: Make, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, writes_waiting=3, writes_waiting_per_tenant=2).start()
    first, second, third = [await tenant(server, name) for name in ("first", "second", "third")]
    operator = await tenant(server, "first", Role.OPERATOR)

    with stalled(server):
        crowd = [asyncio.create_task(first.ask("POST", "/sessions", {})) for _ in range(2)]
        await seconds_until(lambda: operator.sees("writes", 2), within=4)
        too_many = await first.ask("POST", "/sessions", {})
        crowd.append(asyncio.create_task(second.ask("POST", "/sessions", {})))
        await seconds_until(lambda: operator.sees("writes", 3), within=4)
        overloaded = await third.ask("POST", "/sessions", {})
        read = await first.ask("GET", "/sessions")
    answers = await asyncio.gather(*crowd)

    assert (too_many.status, code(too_many)) == (429, "too-many-requests")
    assert (overloaded.status, code(overloaded)) == (503, "overloaded")
    assert read.status == 200
    assert [answer.status for answer in answers] == [201, 201, 201]


@pytest.mark.parametrize("length", [f"Content-Length: {9 * MIB}", "Transfer-Encoding: chunked"])
async def test_bodies_under_way_are_bounded_in_bytes(make_server: Make, sqlite_url: str, length: str) -> None:
    server = make_server(sqlite_url, body_bytes=24 * MIB, body_bytes_per_tenant=16 * MIB).start()
    first, second, third = [await tenant(server, name) for name in ("first", "second", "third")]
    operator = await tenant(server, "first", Role.OPERATOR)
    session, others, thirds = await first.session(), await second.session(), await third.session()

    async with AsyncExitStack() as stack:
        await _upload(stack, server, first, session, length)
        await seconds_until(lambda: operator.sees("bodyBytes", 9 * MIB), within=5)
        too_many = await (await _upload(stack, server, first, session, length)).answer()
        await _upload(stack, server, second, others, length)
        await seconds_until(lambda: operator.sees("bodyBytes", 18 * MIB), within=5)
        overloaded = await (await _upload(stack, server, third, thirds, length)).answer()
        small = await third.send(thirds, "small ones are let in")
    await seconds_until(lambda: operator.sees("bodyBytes", 0), within=5)

    assert (too_many.status, code(too_many)) == (429, "too-many-requests")
    assert (overloaded.status, code(overloaded)) == (503, "overloaded")
    assert small.status == 202
    assert '"level": "error"' not in server.errors.read_text()


async def test_a_small_request_is_refused_in_order_while_nothing_else_has_room_either(
    make_server: Make, sqlite_url: str
) -> None:
    bounds = {"body_bytes_per_tenant": MAX_INPUT, "writes_waiting_per_tenant": 1}
    server = make_server(sqlite_url, **bounds).start()
    user, operator = await tenant(server, "first"), await tenant(server, "first", Role.OPERATOR)
    session = await user.session()

    async with AsyncExitStack() as stack:
        await _upload(stack, server, user, session, f"Content-Length: {MAX_INPUT}")
        await seconds_until(lambda: operator.sees("bodyBytes", MAX_INPUT), within=5)
        with stalled(server):
            waiting = asyncio.create_task(user.ask("POST", "/sessions", {}))
            await seconds_until(lambda: operator.sees("writes", 1), within=4)
            refused = await user.send(session, "small")
        await waiting

    assert (refused.status, code(refused)) == (429, "too-many-requests")


async def test_slow_bodies_take_nobodys_turn(make_server: Make, sqlite_url: str) -> None:
    server = make_server(sqlite_url, requests_at_once=1, requests_at_once_per_tenant=1).start()
    user = await tenant(server, "first")
    session = await user.session()

    async with AsyncExitStack() as stack:
        for length in ("Content-Length: 100", f"Content-Length: {MIB}", "Transfer-Encoding: chunked"):
            wire = await stack.enter_async_context(Wire(server.url))
            await wire.write(_head(session, user, length))
        answers = [await user.ask("GET", f"/sessions/{session}") for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 5


async def test_whoever_nobody_knows_waits_with_their_like(make_server: Make, sqlite_url: str) -> None:
    bounds = {"requests_at_once": 2, "requests_at_once_per_tenant": 1, "requests_waiting_per_tenant": 1}
    server = make_server(sqlite_url, **bounds).start()
    user = await tenant(server, "first")
    strangers = [Tenant(server, f"nonsense{number}") for number in range(20)]

    crowd = [asyncio.create_task(each.ask("GET", "/sessions")) for each in strangers]
    answers = [await user.ask("GET", "/sessions") for _ in range(5)]
    refused = {answer.status for answer in await asyncio.gather(*crowd)}

    assert [answer.status for answer in answers] == [200] * 5
    assert refused <= {401, 429}


async def _upload(stack: AsyncExitStack, server: ServerProcess, user: Tenant, session: str, length: str) -> Wire:
    wire = await stack.enter_async_context(Wire(server.url))
    await wire.write(_head(session, user, length))
    if "chunked" in length:
        # The server may have answered before it is all sent, and reads on: to end the connection would be to lose that.
        await wire.write(b"%x\r\n" % (9 * MIB) + b" " * (9 * MIB) + b"\r\n")
    return wire


def _head(session: str, user: Tenant, length: str) -> bytes:
    lines = (f"POST {path(session)}/inputs HTTP/1.1", "Host: localhost", user.shown, length, "", "")
    return "\r\n".join(lines).encode()


async def _answered(crowd: Sequence[asyncio.Task[Answer]], count: int) -> list[Answer]:
    """Return the first answers that a crowd gets."""
    async with asyncio.timeout(5):
        return [await each for each in islice(asyncio.as_completed(crowd), count)]
