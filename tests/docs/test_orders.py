"""The listings of events on the pages are those of real runs."""

from collections.abc import Callable
from textwrap import dedent

from tests.docs.pages import Page, pages_with
from tests.docs.scene import Scene, holds, listed, play
from tests.harness.client import Client
from tests.harness.process import ServerProcess

WIRE = Page("docs/reference/wire.md")
LISTINGS = [
    (page.name, sample.title, dedent(sample.text).splitlines())
    for page in pages_with("order")
    for sample in page.samples("order")
]
CUT, CUT_AND_APPROVED = "cut", "/permission, cut and approved"


async def test_a_run_has_its_events_in_the_order_of_the_pages(client: Client) -> None:
    titles = {title for _, title, _ in LISTINGS} - {CUT, CUT_AND_APPROVED}

    seen = {title: listed(await play(client, title)) for title in sorted(titles)}

    others = {
        (page, title): seen[title]
        for page, title, listing in LISTINGS
        if title in seen and not holds(seen[title], listing)
    }
    assert others == {}
    assert len(seen) > 15


async def test_a_run_that_was_cut_has_its_events_in_the_order_of_the_pages(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with Client(server.url) as client:
        begun = await _begin(client, "/tokens 100 20")
        await begun.seen("TEXT_DELTA", 5)
        server.kill()

    server.start()
    async with Client(server.url) as client:
        events = await _ended(client, begun)

    assert [(page, listed(events)) for page, listing in _listings(CUT) if not holds(listed(events), listing)] == []
    turns = [event for event in events if event["type"] == "MESSAGE_TURN_STARTED"]
    assert [turn["isResume"] for turn in turns] == [False, True]
    assert turns[0]["messageTurnId"] == turns[1]["messageTurnId"]


async def test_a_run_that_was_cut_while_it_asked_has_its_events_in_the_order_of_the_pages(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, lease_seconds=1).start()
    async with Client(server.url) as client:
        begun = await _begin(client, "/permission")
        (asked,) = await begun.asked()
        server.kill()

    server.start()
    async with Client(server.url) as client:
        again = Scene(client, begun.session, begun.position)
        await again.seen("MESSAGE_TURN_STARTED", 2)
        await again.answer(asked, approved=True)
        events = await _ended(client, begun)

    listings = _listings(CUT_AND_APPROVED)
    assert [(page, listed(events)) for page, listing in listings if not holds(listed(events), listing)] == []
    assert listings


async def test_a_listing_is_told_from_another_one() -> None:
    lines = ["A", "B", "  C", "B", "D"]

    assert [
        holds(lines, listing)
        for listing in (
            ["A", "B", "  C", "B", "D"],
            ["...", "  C", "...", "D"],
            ["A", "..."],
            ["A", "B", "  C", "B"],
            ["...", "C", "..."],
            ["...", "  C", "D"],
        )
    ] == [True, True, True, False, False, False]


def _listings(title: str) -> list[tuple[str, list[str]]]:
    return [(page, listing) for page, named, listing in LISTINGS if named == title]


async def _begin(client: Client, text: str) -> Scene:
    session = await client.session()
    scene = Scene(client, session, await client.position(session))
    await scene.say(text)
    return scene


async def _ended(client: Client, begun: Scene) -> list[dict[str, object]]:
    scene = Scene(client, begun.session, begun.position)
    await scene.seen("BRANCH_RUN_COMPLETED")
    return await scene.events()
