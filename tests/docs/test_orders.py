"""The orders of events on the page about the wire are those of real runs."""

from collections.abc import Callable
from itertools import groupby

from tests.docs.pages import Page
from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess

ORDERS = {sample.title: sample.text.split() for sample in Page("docs/reference/wire.md").samples("order")}
CUT = "cut"


async def test_a_run_has_its_events_in_the_order_of_the_page(client: Client) -> None:
    session = await client.session()

    seen = {text: await _types(client, session, text) for text in ORDERS if text != CUT}

    assert seen == {text: order for text, order in ORDERS.items() if text != CUT}
    assert len(seen) == 3


async def test_a_run_that_was_cut_has_its_events_in_the_order_of_the_page(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=3).start()
    async with Client(server.url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "/tokens 100 20")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(lambda event: event.get("text") == "tok5 ")
            server.kill()

    server.start()
    async with Client(server.url) as client, client.feed(session, after=accepted["position"]) as feed:
        frames = await feed.until(completed)

    assert _collapsed([frame.json["type"] for frame in frames]) == ORDERS[CUT]
    turns = [frame.json for frame in frames if frame.json["type"] == "MESSAGE_TURN_STARTED"]
    assert [turn["isResume"] for turn in turns] == [False, True]
    assert turns[0]["messageTurnId"] == turns[1]["messageTurnId"]


async def _types(client: Client, session: str, text: str) -> list[str]:
    accepted = await client.accepted(session, text)
    async with client.feed(session, after=accepted["position"]) as feed:
        return _collapsed([frame.json["type"] for frame in await feed.until(completed)])


def _collapsed(types: list[str]) -> list[str]:
    return [name for name, _ in groupby(types)]
