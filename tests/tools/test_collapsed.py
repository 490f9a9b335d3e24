"""Toolsets that start collapsed: one function, until a model calls it."""

from collections.abc import Callable

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.tools.session import Toolbox, make_toolbox

GAMES = {"name": "games", "description": "Games of chance.", "tools": ["roll", "bet"], "startCollapsed": True}


async def test_a_toolset_that_was_expanded_is_so_after_a_killed_server_and_in_its_conversation_alone(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_toolbox(make_server, database_url, toolsets=[GAMES]).start()
    async with Client(server.url, "toolbox") as client:
        box = Toolbox(client, await client.session())
        collapsed = await box.does("?")
        accepted = await client.accepted(box.session, "games\nbet\nroll\n?")
        async with client.feed(box.session, after=accepted["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
    server.kill()
    server.start()

    async with Client(server.url, "toolbox") as client:
        box = Toolbox(client, box.session)
        await box.answer(asked, approved=True)
        told = await box.ended(accepted["runtimeRunId"])
        later = await box.does("?")
        elsewhere = await Toolbox(client, await client.session()).does("?")
        check_log(await client.log(box.session))

    assert (collapsed.text, elsewhere.text) == ("games\n", "games\n")
    assert told.run["status"] == "completed"
    assert [result["text"] for result in told.results] == [
        "You can call these tools of games now:\n- roll: Roll a die.\n- bet: Bet.",
        "placed",
        "4",
    ]
    starts = [(event["name"], event["callType"], event.get("toolHarnessName")) for event in told.of("TOOL_CALL_START")]
    assert starts == [("games", "skill", "games"), ("bet", "function", None), ("roll", "function", None)]
    assert (told.text, later.text) == ("bet roll\n", "bet roll\n")
    assert (server.folder / "bets.txt").read_text().split() == ["bet"]
