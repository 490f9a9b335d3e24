"""Calls of tools that a killed server was in: what waited waits on, and what was done is not done again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.said import said_in
from tests.harness.providers.steps import Call, Text
from tests.interrupt.talk import Talk

_WIRED = Path(__file__).parent / "wired.py"


async def test_questions_that_tools_raised_are_answered_after_a_restart_and_pictures_are_still_there(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path, provider_port: int
) -> None:
    async with FakeProvider(provider_port) as provider:
        (tmp_path / "provider.txt").write_text(provider.url)
        server = make_server(database_url, str(_WIRED)).start()
        provider.answers(
            Text("Let me \x00see."),
            Call("photo", '{"city":"Oslo"}', id="call_a"),
            Call("pay", '{"euros":50}', id="call_b"),
            Call("order", '{"dish":"soup"}', id="call_c"),
            Call("ring", '{"times":2}', id="call_d"),
        )
        provider.answers(Text("All done."))
        async with Client(server.url, "anthropic") as client:
            talk = await Talk.begin(client)
            await talk.say("Go.")
            before = await talk.asked(3)
            await talk.logged(lambda event: event["type"] == "TOOL_CALL_END")
        server.kill()

        server.start()
        async with Client(server.url, "anthropic") as client:
            talk = Talk(client, talk.session)
            after = await talk.asked(3)
            for asked in after:
                await talk.answer(asked, **_answer(asked))
            log = await talk.idle()

    assert after == before
    assert log[-1]["status"] == "completed"
    assert (tmp_path / "calls.txt").read_text() == "photo Oslo\npay 50\n"
    said = said_in(provider.requests[1])
    assert [each[1:] for each in said if each[0] == "result"] == [
        ("call_a", "image"),
        ("call_b", "paid 50"),
        ("call_c", "Done."),
        ("call_d", "Done."),
    ]
    assert len(provider.requests) == 2


async def test_a_call_that_was_allowed_and_begun_is_not_made_twice_and_the_conversation_goes_on(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path, provider_port: int
) -> None:
    async with FakeProvider(provider_port) as provider:
        (tmp_path / "provider.txt").write_text(provider.url)
        server = make_server(sqlite_url, str(_WIRED)).start()
        provider.answers(Call("pay", '{"euros":5000}', id="call_a"))
        async with Client(server.url, "responses") as client:
            talk = await Talk.begin(client)
            await talk.say("Pay.")
            (asked,) = await talk.asked()
            await talk.answer(asked, **_answer(asked))
            await talk.until(lambda: _calls(tmp_path), lambda calls: calls == "pay 5000\n")
        server.kill()
        provider.answers(Text("Better."))

        server.start()
        async with Client(server.url, "responses") as client:
            talk = Talk(client, talk.session)
            lost = (await talk.idle())[-1]
            await talk.say("Do not.")
            log = await talk.idle()

    assert (lost["status"], lost["errorType"]) == ("failed", "RunLost")
    assert log[-1]["status"] == "completed"
    assert await _calls(tmp_path) == "pay 5000\n"
    assert said_in(provider.requests[1]) == [
        ("user", "Pay."),
        ("call", "call_a", "pay", {"euros": 5000}),
        ("result", "call_a", "The call was interrupted."),
        ("user", "Do not."),
    ]


async def test_a_call_is_not_begun_before_it_is_stored_that_it_was_allowed(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path, provider_port: int
) -> None:
    async with FakeProvider(provider_port) as provider:
        (tmp_path / "provider.txt").write_text(provider.url)
        server = make_server(database_url, str(_WIRED)).start()
        provider.answers(Call("pay", '{"euros":5000000}', id="call_a"))
        async with Client(server.url, "responses") as client:
            talk = await Talk.begin(client)
            await talk.say("Pay.")
            (asked,) = await talk.asked()
            with suppress(httpx.TransportError):
                # The call itself ends the server, in its first breath.
                await talk.answer(asked, **_answer(asked))
        server.wait()

        server.start()
        async with Client(server.url, "responses") as client:
            lost = (await Talk(client, talk.session).idle())[-1]

    assert (lost["status"], lost["errorType"]) == ("failed", "RunLost")
    assert await _calls(tmp_path) == "pay 5000000\n"


async def _calls(folder: Path) -> str:
    notes = folder / "calls.txt"
    return notes.read_text() if notes.exists() else ""


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    source = asked["request"]["sourceName"]
    if asked["expectedResponseType"] == "PERMISSION_RESPONSE":
        return {"sourceName": source, "approved": True}
    return {"sourceName": source, "success": True, "content": [{"type": "text", "text": "Done."}]}
