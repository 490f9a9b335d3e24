"""What waits is as safe as what runs: after any `kill -9` the rest runs in its order, each once."""

import asyncio
import random
from collections.abc import Callable

import httpx

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.interrupt.talk import Log, Talk, talking
from tests.queueing.busy import said

INPUTS = 6


class Mortal:
    """A conversation with a server that is killed now and then."""

    def __init__(self, server: ServerProcess, session: str, chance: random.Random) -> None:
        self._server = server
        self._session = session
        self._chance = chance
        self.accepted: list[str] = []
        self.unsure: list[str] = []

    async def say(self, text: str) -> None:
        """Send an input that may wait, and perhaps kill the server while it is under way."""
        async with Client(self._server.url) as client:
            sending = asyncio.create_task(Talk(client, self._session).send(text, "queue"))
            dies = self._chance.random() < 0.4
            if dies:
                for _ in range(self._chance.randrange(40)):
                    await asyncio.sleep(0)
                await asyncio.to_thread(self._server.kill)
            try:
                response = await sending
            except httpx.HTTPError:
                self.unsure.append(text)
            else:
                assert response.status_code == 202, response.text
                self.accepted.append(text)
        if dies:
            await asyncio.to_thread(self._server.start)

    async def live_through(self, events: int) -> None:
        """Read so many new events, or to the end of all, then kill the server and start it again."""
        async with Client(self._server.url) as client:
            talk = Talk(client, self._session)
            async with client.feed(self._session, after=(await talk.log())[-1]["eventId"]) as feed:
                while events and await talk.get("runs/active"):
                    await feed.event()
                    events -= 1
        await asyncio.to_thread(self._server.kill)
        await asyncio.to_thread(self._server.start)

    async def idle(self) -> Log:
        """Return the log once everything has run."""
        async with Client(self._server.url) as client:
            return await Talk(client, self._session).idle(seconds=40)


async def test_whatever_was_accepted_runs_in_order_however_often_the_server_is_killed(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    chance = random.Random(2)
    server = make_server(database_url, lease_seconds=1, run_attempts=100).start()
    async with talking(server.url) as talk:
        await talk.say("/tokens 40 20")
    mortal = Mortal(server, talk.session, chance)

    for index in range(INPUTS):
        await mortal.say(f"/tokens 5 20 {index}")
    for _ in range(3):
        await mortal.live_through(chance.randrange(1, 30))
    log = await mortal.idle()

    ran = said(log)[1:]
    assert len(ran) == len(set(ran))
    assert [text for text in ran if text not in mortal.unsure] == mortal.accepted
    assert set(ran) <= {*mortal.accepted, *mortal.unsure}
    assert set(check_log(log).outcomes.values()) == {"completed"}


async def test_what_was_removed_does_not_come_back(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with talking(server.url) as talk:
        await talk.say("/permission")
        await talk.asked()
        removed = (await talk.say("removed", "queue"))["runtimeRunId"]
        kept = (await talk.say("kept", "queue"))["runtimeRunId"]
        assert (await talk.remove(removed)).status_code == 204
        before = await talk.log()

    server.kill()
    server.start()

    async with Client(server.url) as client:
        talk = Talk(client, talk.session)
        waiting = await talk.queue()
        await talk.answer((await talk.asked())[0], approved=True)
        log = await talk.idle()
    assert [(item["runtimeRunId"], item["queuedPosition"]) for item in waiting] == [(kept, 1)]
    assert log[: len(before)] == before
    assert said(log)[1:] == ["kept"]


async def test_an_interrupt_by_an_input_outlives_the_server(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with talking(server.url) as talk:
        await talk.say("/tokens 100000 20")
        waits = (await talk.say("waits", "queue"))["runtimeRunId"]
        urgent = asyncio.create_task(talk.send("urgent", "interrupt"))
        log = await talk.logged(lambda event: event.get("action") == "promoted")
        await asyncio.to_thread(server.kill)
        answer = (await asyncio.gather(urgent, return_exceptions=True))[0]

    server.start()

    async with Client(server.url) as client:
        after = await Talk(client, talk.session).idle()
    assert isinstance(answer, httpx.HTTPError) or (isinstance(answer, httpx.Response) and answer.status_code == 202)
    assert after[: len(log)] == log
    order = check_log(after)
    assert (order.begun[2], said(after)[1:]) == (waits, ["urgent", "waits"])
    assert list(order.outcomes.values()) == ["cancelled", "completed", "completed"]
