"""Tools that are not there any more, or are tried again, when their call was cut: nothing unknown is claimed."""

from collections.abc import Callable

from tests.crash.fatal import ACTING, QUICK, marks
from tests.crash.questions import answer, listed, said, text_of
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]


async def test_a_call_that_was_cut_is_lost_also_where_its_tool_is_not_there_any_more(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        run = await said(client, await client.session("s1"), "pay", agent="forgetful")
        await seconds_until(lambda: _has(server, "at pay"), within=20)

    server.kill()
    server.start()

    async with Client(server.url) as client:
        ended = await client.ended("s1", run)
    assert (ended["status"], ended["error"]["type"]) == ("failed", "RunLost")
    assert marks(server, "s1").count("paid") == 1


async def test_a_call_that_waits_for_permission_waits_on_without_its_tool_and_is_not_made(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        run = await said(client, await client.session("s1"), "ask", agent="forgetful")
        await seconds_until(lambda: _asks(client), within=20)

    server.kill()
    server.start()

    async with Client(server.url) as client:
        await seconds_until(lambda: _has(server, "lived", times=2), within=20)
        (question,) = await listed(client, "s1")
        await answer(client, "s1", question)
        ended = await client.ended("s1", run)
        log = await client.log("s1")
    last = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"][-1]
    assert ended["status"] == "completed"
    assert text_of(log, last) == "Error: There is no tool of this name."
    assert "paid" not in marks(server, "s1")


async def test_a_call_that_was_cut_in_its_second_try_goes_on_and_its_tries_share_no_steps(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    async with Client(server.url) as client:
        run = await said(client, await client.session("s1"), "go", agent="retrier")
        await seconds_until(lambda: _has(server, "at second try"), within=20)

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        ended = await client.ended("s1", run)
        log = await client.log("s1")
    last = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"][-1]
    assert ended["status"] == "completed", ended
    assert text_of(log, last) == "sent by 3"
    assert [mark for mark in marks(server, "s1") if not mark.startswith("at ")] == [
        *("tried", "reserved", "tried", "reserved"),
        *("tried", "notified"),
    ]


async def _has(server: ServerProcess, mark: str, *, times: int = 1) -> bool:
    return marks(server, "s1").count(mark) == times


async def _asks(client: Client) -> bool:
    return bool(await listed(client, "s1"))
