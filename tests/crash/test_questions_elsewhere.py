"""Answers that come by another server than the one that holds the run, or while none does."""

from collections.abc import Callable

from tests.crash.questions import accepted, asked, counted, listed, said, story
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

SOON = 4.0
"""Seconds; the holder looks twice in one, but the machine may have much else to do."""


async def test_an_answer_counts_although_no_server_holds_the_run(make_server: Make, postgres: PostgresCluster) -> None:
    url = await postgres.create_database_async()
    holder = make_server(url, lease_seconds=6, sweep_seconds=0.1).start()
    other = make_server(url, lease_seconds=6, sweep_seconds=0.1).start()
    async with Client(holder.url) as client:
        session = await client.session()
        run = await said(client, session, "/permission")
        (question,) = await asked(client, session)

    holder.kill()

    async with Client(other.url) as client:
        # The lease of the dead has not run out: for now nobody goes on with the run.
        assert await listed(client, session) == [question]
        body = await accepted(client, session, question)
        lines = story(await client.log(session))
        assert lines[-2:] == ["PERMISSION_REQUEST", "PERMISSION_RESPONSE"]
        assert body["position"] == question["position"]
        assert await listed(client, session) == []
        assert (await client.run(session, run))["status"] == "active"
        assert (await client.ended(session, run))["status"] == "completed"
        lines = story(await client.log(session))
        check_log(await client.log(session))
    assert lines[lines.index("PERMISSION_REQUEST") :][:4] == [
        "PERMISSION_REQUEST",
        "PERMISSION_RESPONSE",
        "MESSAGE_TURN_STARTED resumed",
        "PERMISSION_APPROVED",
    ]


async def test_the_server_that_holds_a_run_hears_soon_of_answers_that_another_took(
    make_server: Make, postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    holder, other = make_server(url).start(), make_server(url).start()
    async with Client(holder.url) as client, Client(other.url) as elsewhere:
        session = await client.session()
        run = await said(client, session, "/parallel")
        first, second, third = await asked(elsewhere, session, 3)

        await accepted(elsewhere, session, third)
        await accepted(client, session, second)
        await accepted(elsewhere, session, first)
        ended = await client.ended(session, run, seconds=SOON)
        log = await client.log(session)

    check_log(log)
    assert ended["status"] == "completed"
    assert counted(log)["PERMISSION_APPROVED"] == 3
    # Nobody had to take the run up for that.
    assert "MESSAGE_TURN_STARTED resumed" not in story(log)
