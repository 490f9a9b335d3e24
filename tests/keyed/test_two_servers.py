"""Of two servers that are asked under one key, the slower one gives the answer of the faster one, whatever it saw."""

import asyncio
from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.keyed.sending import REPLAYED, send

PAIRS = 40


async def test_an_interrupt_that_has_ended_the_run_is_answered_at_the_other_server_as_at_the_first(
    postgres: PostgresCluster, make_server: Callable[..., ServerProcess]
) -> None:
    url = await postgres.create_database_async()
    first, second = make_server(url).start(), make_server(url).start()

    async with Client(first.url) as here, Client(second.url) as there:
        answers = []
        for number in range(PAIRS):
            session = await here.session()
            await here.accepted(session, "/permission")
            path = f"{here.path(session)}/interrupt"
            answers += await asyncio.gather(
                send(here.http, path, {}, f"key-{number}"), send(there.http, path, {}, f"key-{number}")
            )

    assert [answer.text for answer in answers if answer.status_code != 202] == []
    assert sum(REPLAYED in answer.headers for answer in answers) == PAIRS
