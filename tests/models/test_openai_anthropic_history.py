"""What a model is told of the conversation so far, on each wire: all of it, and nothing that a provider refuses."""

import asyncio
from typing import Any

from tests.harness.client import Client
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.said import said_in
from tests.harness.providers.steps import Call, Hold, Reason, Text
from tests.interrupt.talk import Talk


def _first(agent: str) -> list[tuple[Any, ...]]:
    wish = "Write the city with a capital letter."
    return [
        ("user", "Oslo or Rome?"),
        ("assistant", "Let me see."),
        ("call", "call_a", "weather", {"city": "Oslo"}),
        ("call", "call_b", "again", {"city": "rome"}),
        ("result", "call_a", "rain in Oslo"),
        # Anthropic's wire has a mark for results that are errors.
        ("result", "call_b", wish if agent == "anthropic" else f'{{"error":"{wish}"}}'),
        ("assistant", "Rain."),
    ]


async def test_the_next_run_knows_all_that_was_said_called_and_answered(wired: Client, provider: FakeProvider) -> None:
    talk = await Talk.begin(wired)
    await _first_run(talk, provider)
    provider.answers(Text("You are welcome."))

    await _run(talk, "Thank you.")

    assert said_in(provider.requests[-1]) == [*_first(wired.agent), ("user", "Thank you.")]


async def test_a_fork_knows_what_was_copied_and_no_more(wired: Client, provider: FakeProvider) -> None:
    talk = await Talk.begin(wired)
    await _first_run(talk, provider)
    called = next(event for event in await talk.log() if event["type"] == "TOOL_CALL_START")["messageId"]
    forked = await talk.post("fork", {"newBranchId": "other", "fromMessageId": called})
    assert forked.status_code == 201
    provider.answers(Text("Go on."))

    await _run(Talk(wired, talk.session, "other"), "And then?")

    assert said_in(provider.requests[-1]) == [*_first(wired.agent)[:-1], ("user", "And then?")]


async def test_what_was_said_before_an_interrupt_is_known_and_calls_cut_off_have_results(
    wired: Client, provider: FakeProvider
) -> None:
    talk = await Talk.begin(wired)
    provider.answers(Reason("Hm."), Text("It is "), Hold())
    await _interrupted(talk, "How late?", "TEXT_DELTA")
    provider.answers(Text("Booking."), Call("book", '{"city":"Oslo"}', id="call_a"))
    await _interrupted(talk, "Book Oslo.", "PERMISSION_REQUEST")
    provider.answers(Text("Fine."))

    await _run(talk, "Leave it.")

    assert said_in(provider.requests[-1]) == [
        ("user", "How late?"),
        ("assistant", "It is "),
        ("user", "Book Oslo."),
        ("assistant", "Booking."),
        ("call", "call_a", "book", {"city": "Oslo"}),
        ("result", "call_a", "The call was interrupted."),
        ("user", "Leave it."),
    ]


async def test_pictures_that_a_tool_returned_are_shown_again_in_the_next_run(
    wired: Client, provider: FakeProvider
) -> None:
    talk = await Talk.begin(wired)
    provider.answers(Call("photo", '{"city":"Oslo"}', id="call_a"))
    provider.answers(Text("Rain."))
    await _run(talk, "Show me Oslo.")
    provider.answers(Text("No."))

    await _run(talk, "Is it dry?")

    shown = [any(_is_picture(each) for each in said_in(request)) for request in provider.requests]
    assert shown == [False, True, True]


async def _first_run(talk: Talk, provider: FakeProvider) -> None:
    provider.answers(
        Text("Let me see."),
        Call("weather", '{"city":"Oslo"}', id="call_a"),
        Call("again", '{"city":"rome"}', id="call_b"),
    )
    provider.answers(Text("Rain."))
    await _run(talk, "Oslo or Rome?")


async def _run(talk: Talk, text: str) -> None:
    accepted = await talk.say(text)
    run = await talk.client.ended(talk.session, accepted["runtimeRunId"], talk.branch)
    assert run["status"] == "completed", run


async def _interrupted(talk: Talk, text: str, at: str) -> None:
    accepted = await talk.say(text)
    async with talk.client.feed(talk.session, talk.branch, after=accepted["position"]) as feed, asyncio.timeout(10):
        await feed.until(lambda event: event["type"] == at)
    assert (await talk.interrupt()).status_code == 202
    run = await talk.client.ended(talk.session, accepted["runtimeRunId"], talk.branch)
    assert run["status"] == "cancelled", run


def _is_picture(said: tuple[Any, ...]) -> bool:
    return said[0] in ("user", "result") and "image" in str(said[-1])
