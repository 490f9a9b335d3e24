"""A branch whose inputs come in at two servers, with one database between them."""

import asyncio
from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.interrupt.talk import Talk
from tests.queueing.busy import busy, let_go

AT_EACH = 25


async def test_the_queue_is_one_whichever_server_takes_the_input(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    servers = [make_server(url, sweep_seconds=0.1, tops_seconds=0.1).start() for _ in range(2)]
    async with Client(servers[0].url) as one, Client(servers[1].url) as other:
        here = await busy(one)
        there = Talk(other, here.session)

        answers = await asyncio.gather(
            *(talk.say(f"number {index}", "queue") for index in range(AT_EACH) for talk in (here, there))
        )
        waiting = [await here.queue(), await there.queue()]
        in_line = sorted(answers, key=lambda answer: answer["queuedPosition"])
        removed = in_line.pop(7)["runtimeRunId"]
        statuses = [(await talk.remove(removed)).status_code for talk in (there, here)]
        await let_go(there)
        log = await there.idle(seconds=60)

    assert sorted(answer["queuedPosition"] for answer in answers) == list(range(1, 2 * AT_EACH + 1))
    assert waiting[0] == waiting[1]
    assert statuses == [204, 409]
    assert check_log(log).begun[1:] == [answer["runtimeRunId"] for answer in in_line]


async def test_inputs_at_two_servers_that_race_the_end_of_a_run_are_all_run_once(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    servers = [make_server(url, sweep_seconds=0.1, tops_seconds=0.1).start() for _ in range(2)]
    async with Client(servers[0].url) as one, Client(servers[1].url) as other:
        here = await Talk.begin(one)
        there = Talk(other, here.session)

        async def keep_saying(talk: Talk) -> list[str]:
            behaviors = ["queue", "interrupt", "queue"]
            said = [await talk.say(f"/tokens 2 {index % 4}", behaviors[index % 3]) for index in range(AT_EACH)]
            return [answer["runtimeRunId"] for answer in said]

        accepted = await asyncio.gather(*map(keep_saying, (here, there, here, there)))
        log = await there.idle(seconds=60)

    order = check_log(log)
    assert sorted(order.begun) == sorted(run_id for each in accepted for run_id in each)
    assert order.outcomes.keys() == set(order.begun)
    assert set(order.outcomes.values()) <= {"completed", "cancelled"}
