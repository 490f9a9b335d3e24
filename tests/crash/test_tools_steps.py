"""What an agent does step by step is done once, between whichever two steps the server was killed."""

import asyncio
from collections.abc import Callable

from tests.crash.fatal import ACTING, QUICK, marks
from tests.crash.questions import answer, answered_to_the_end, counted, listed, said, story, text_of
from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.process import ServerProcess

Make = Callable[..., ServerProcess]

STOPS = range(1, 9)
"""Where the agent `stepper` can stop: before each of its steps, and behind the last."""

ONCE = {
    "CLARIFICATION_REQUEST": 1,
    "CLARIFICATION_RESPONSE": 1,
    "QUIZ_REQUEST": 1,
    "QUIZ_RESPONSE": 1,
    "BRANCH_MIDDLEWARE_STATE_COMMITTED": 1,
    "MODEL_CALL_RETRY": 0,
    "BRANCH_RUN_COMPLETED": 1,
}


async def test_each_step_of_an_agent_is_done_once_between_whichever_two_the_server_was_killed(
    make_server: Make, database_url: str
) -> None:
    server = make_server(database_url, ACTING, **QUICK).start()
    runs = {}
    async with Client(server.url) as client:
        for stop in STOPS:
            session = await client.session(f"s{stop}")
            runs[session] = await said(client, session, str(stop), agent="stepper")
        await asyncio.gather(*(_stopped(server, client, stop) for stop in STOPS))

    server.kill()
    (server.folder / "open").touch()
    server.start()

    async with Client(server.url) as client:
        for stop in STOPS:
            session = f"s{stop}"
            ended = await answered_to_the_end(client, session, runs[session])
            log = await client.log(session)
            counts = counted(log)
            did = [mark for mark in marks(server, session) if not mark.startswith("at ")]
            last = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"][-1]
            assert (stop, ended["status"]) == (stop, "completed")
            assert (stop, did) == (stop, ["rolled", "echoed", "added"])
            assert (stop, {name: counts[name] for name in ONCE}) == (stop, ONCE)
            assert (stop, story(log).count("> MESSAGE_TURN_STARTED")) == (stop, 1)
            assert (stop, story(log).count("MESSAGE_TURN_STARTED resumed")) == (stop, 1)
            assert (stop, text_of(log, last)) == (stop, "10 [green 7] 1")


async def _stopped(server: ServerProcess, client: Client, stop: int) -> None:
    """Wait until the agent has come to its stop, and answer what it asks before."""

    async def at_stop() -> bool:
        for question in await listed(client, f"s{stop}"):
            await answer(client, f"s{stop}", question)
        return f"at {stop}" in marks(server, f"s{stop}")

    # At the fifth stop and behind, it has asked before; ahead of it, nothing is asked.
    await seconds_until(at_stop, within=20)
