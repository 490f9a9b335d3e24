"""Model calls that do not end as they should, on each wire: stopped by the user, by a crash, by the provider."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider, Script
from tests.harness.providers.request import Request
from tests.harness.providers.said import said_in
from tests.harness.providers.steps import Call, Hold, Spent, Status, Text
from tests.interrupt.talk import Talk

_WIRED = Path(__file__).parent / "wired.py"
_ANSWERED = [
    ("user", "Oslo?"),
    ("call", "call_a", "weather", {"city": "Oslo"}),
    ("result", "call_a", "rain in Oslo"),
]


async def test_an_interrupt_closes_the_connection_to_the_provider_within_a_second(
    wired: Client, provider: FakeProvider
) -> None:
    provider.answers(Text("On and "), Hold())
    talk = await Talk.begin(wired)
    accepted = await talk.say("Talk")
    await _seen(talk, accepted["position"], "TEXT_DELTA")

    asked = time.monotonic()
    assert (await talk.interrupt()).status_code == 202
    await provider.requests[0].left()
    took = time.monotonic() - asked

    assert took < 1
    log = await talk.idle()
    (ended,) = [event for event in log if event["type"] == "TEXT_MESSAGE_END"]
    assert ended["interrupted"] is True
    assert log[-1]["cancelled"] is True


async def test_an_interrupt_reaches_a_provider_that_has_not_said_a_word(wired: Client, provider: FakeProvider) -> None:
    provider.answers(Hold())
    talk = await Talk.begin(wired)
    await talk.say("Talk")
    request = await provider.request(0)

    assert (await talk.interrupt()).status_code == 202

    await request.left(seconds=1)
    assert (await talk.idle())[-1]["cancelled"] is True


async def test_a_call_that_a_killed_server_was_in_is_made_again(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path, provider_port: int
) -> None:
    async with FakeProvider(provider_port) as provider, AsyncExitStack() as clients:
        (tmp_path / "provider.txt").write_text(provider.url)
        provider.otherwise = _Cut().answer
        # On a machine that is busy with other tests the lease must not run out a second time.
        server = make_server(database_url, str(_WIRED), lease_seconds=8).start()
        begun = [await _begun(Client(server.url, agent)) for agent in ("chat", "responses", "anthropic")]
        server.kill()

        server.start()
        for talk, accepted in begun:
            client = await clients.enter_async_context(Client(server.url, talk.client.agent))
            run = await client.ended(talk.session, accepted["runtimeRunId"])
            log = await client.log(talk.session)

            assert run["status"] == "completed"
            told = [event for event in log if event["type"] in ("TEXT_DELTA", "TEXT_MESSAGE_END", "MODEL_CALL_RETRY")]
            assert [(event["type"], event.get("text"), event.get("interrupted")) for event in told] == [
                ("TEXT_DELTA", "It is ", None),
                ("TEXT_MESSAGE_END", None, True),
                ("MODEL_CALL_RETRY", None, None),
                ("TEXT_DELTA", "Rain in Oslo.", None),
                ("TEXT_MESSAGE_END", None, None),
            ]
            check_log(log)
    assert (tmp_path / "calls.txt").read_text() == "weather Oslo\n" * 3
    # What was cut is in no request: each wire was asked once for the call, and twice the same for what follows.
    assert [said_in(request) for request in provider.requests[1::2][:3]] == [_ANSWERED] * 3
    assert [said_in(request) for request in provider.requests[6:]] == [_ANSWERED] * 3


@pytest.mark.parametrize(("status", "kind"), [(401, "ModelKeyRefused"), (404, "ModelNotFound")])
async def test_a_refusal_is_told_without_what_is_not_for_everybody(
    wired: Client, provider: FakeProvider, wired_server: ServerProcess, status: int, kind: str
) -> None:
    provider.answers(Status(status, message=f"Incorrect key sk-the-secret-key, see {provider.url}/keys"))
    talk = await Talk.begin(wired)

    accepted = await talk.say("Hello")
    run = await wired.ended(talk.session, accepted["runtimeRunId"])

    (error,) = [event for event in await talk.idle() if event["type"] == "MESSAGE_TURN_ERROR"]
    assert run["status"] == "failed"
    assert (error["errorType"], error["isModelNotFound"]) == (kind, status == 404)
    assert len(provider.requests) == 1
    known = f"{await wired.log_text(talk.session)} {wired_server.errors.read_text()}"
    assert [private for private in ("secret", provider.url, "Traceback") if private in known] == []


async def _seen(talk: Talk, position: str, wire_type: str) -> None:
    async with talk.client.feed(talk.session, talk.branch, after=position) as feed, asyncio.timeout(10):
        await feed.until(lambda event: event["type"] == wire_type)


async def _begun(client: Client) -> tuple[Talk, dict[str, Any]]:
    async with client:
        talk = await Talk.begin(client)
        accepted = await talk.say("Oslo?")
        await _seen(talk, accepted["position"], "TEXT_DELTA")
        return talk, accepted


class _Cut:
    """Calls a tool, then stalls in what it says to the result; asked the same again, says it."""

    def __init__(self) -> None:
        self._stalled: set[str] = set()

    def answer(self, request: Request) -> Script:
        """Answer a request."""
        if said_in(request)[-1][0] == "user":
            return (Call("weather", '{"city":"Oslo"}', id="call_a"),)
        if request.path in self._stalled:
            return Text("Rain in Oslo."), Spent(10, 5)
        self._stalled.add(request.path)
        return Text("It is "), Hold()
