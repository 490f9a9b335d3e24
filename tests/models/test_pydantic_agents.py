"""Agents of pydantic-ai, hosted unchanged: their calls are asked for, told in order, and made once."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

TRAVELLER = Path(__file__).parent / "traveller.py"


async def test_an_approval_survives_a_killed_server_and_no_tool_is_called_twice(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, str(TRAVELLER)).start()
    async with Client(server.url, "traveller") as client:
        session = await client.session()
        accepted = await client.accepted(session, "To Oslo, please")
        async with client.feed(session, after=accepted["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
            await feed.until(lambda event: event["type"] == "TOOL_CALL_END")
    server.kill()
    server.start()

    async with Client(server.url, "traveller") as client:
        answer = {
            "type": "PERMISSION_RESPONSE",
            "permissionId": asked["permissionId"],
            "sourceName": asked["sourceName"],
            "approved": True,
        }
        response = await client.http.post(f"{client.path(session)}/responses", json=answer)
        run = await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)

    assert response.status_code == 200
    assert run["status"] == "completed"
    assert (server.folder / "calls.txt").read_text().split() == ["weather", "book"]
    said = [event["text"] for event in log if event["type"] == "TEXT_DELTA"]
    assert said == ["Let me ", "see.", "Done: ", "weather rain in Oslo success, book {'booked': 'Oslo'} success"]
    calls = [event["argsJson"] for event in log if event["type"] == "TOOL_CALL_ARGS"]
    assert calls == ['{"city":"Oslo"}', '{"city":"Oslo"}']
    check_log(log)


async def test_a_model_that_cannot_stream_is_told_whole(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(TRAVELLER)).start()
    async with Client(server.url, "curt") as client:
        session = await client.session()
        accepted = await client.accepted(session, "Are you there?")
        run = await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)

    assert run["status"] == "completed"
    assert [event["text"] for event in log if event["type"] == "REASONING_DELTA"] == ["Hm."]
    assert "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA") == "Here I am."
    check_log(log)
