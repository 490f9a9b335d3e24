"""Models behind real HTTP, on each wire: what a provider streams is what the branch tells, piece by piece."""

import asyncio
import json

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.said import said_in
from tests.harness.providers.steps import Call, Hold, Reason, Spent, Text


async def test_a_delta_reaches_the_client_before_the_provider_has_sent_the_next(
    wired: Client, provider: FakeProvider
) -> None:
    seen = asyncio.Event()
    provider.answers(Text("Let me "), Hold(seen), Text("see."))
    session = await wired.session()
    accepted = await wired.accepted(session, "Hello")

    async with wired.feed(session, after=accepted["position"]) as feed:
        first = (await feed.until(lambda event: event["type"] == "TEXT_DELTA"))[-1].json
        seen.set()
        run = await wired.ended(session, accepted["runtimeRunId"])

    log = await wired.log(session)
    assert first["text"] == "Let me "
    assert run["status"] == "completed"
    assert [event["text"] for event in log if event["type"] == "TEXT_DELTA"] == ["Let me ", "see."]
    check_log(log)


async def test_fragments_of_parallel_calls_are_told_whole_and_answered_by_id(
    wired: Client, provider: FakeProvider
) -> None:
    provider.answers(
        Reason("It may "),
        Reason("rain.", signature="signed"),
        Text("Let me see."),
        Call("weather", '{"ci', 'ty":"Os', 'lo"}', id="call_a"),
        Call("weather", '{"city":', '"Rome"}', id="call_b"),
    )
    provider.answers(Text("Rain, both."))
    session = await wired.session()

    run = await wired.ended(session, (await wired.accepted(session, "Oslo or Rome?"))["runtimeRunId"])

    log = await wired.log(session)
    assert run["status"] == "completed"
    calls = [event for event in log if event["type"].startswith("TOOL_CALL")]
    kinds = ["TOOL_CALL_START", "TOOL_CALL_ARGS"] * 2 + ["TOOL_CALL_RESULT", "TOOL_CALL_END"] * 2
    assert [event["type"] for event in calls] == kinds
    assert [event["callId"] for event in calls[:4]] == ["call_a", "call_a", "call_b", "call_b"]
    arguments = [event["argsJson"] for event in calls if event["type"] == "TOOL_CALL_ARGS"]
    assert [json.loads(text) for text in arguments] == [{"city": "Oslo"}, {"city": "Rome"}]
    signature = None if wired.agent == "chat" else "signed"
    assert said_in(await provider.request(1)) == [
        ("user", "Oslo or Rome?"),
        ("thought", "It may rain.", signature),
        ("assistant", "Let me see."),
        ("call", "call_a", "weather", {"city": "Oslo"}),
        ("call", "call_b", "weather", {"city": "Rome"}),
        ("result", "call_a", "rain in Oslo"),
        ("result", "call_b", "rain in Rome"),
    ]
    check_log(log)


async def test_reasoning_between_texts_is_told_between_them(wired: Client, provider: FakeProvider) -> None:
    provider.answers(Reason("One."), Text("First."), Reason("Two."), Text("Second."))
    session = await wired.session()

    run = await wired.ended(session, (await wired.accepted(session, "Count"))["runtimeRunId"])

    log = await wired.log(session)
    assert run["status"] == "completed"
    told = [(event["type"], event.get("text")) for event in log if event["type"].startswith(("TEXT_", "REASONING_"))]
    assert told == [
        ("REASONING_MESSAGE_START", None),
        ("REASONING_DELTA", "One."),
        ("REASONING_MESSAGE_END", None),
        ("TEXT_MESSAGE_START", None),
        ("TEXT_DELTA", "First."),
        ("TEXT_MESSAGE_END", None),
        ("REASONING_MESSAGE_START", None),
        ("REASONING_DELTA", "Two."),
        ("REASONING_MESSAGE_END", None),
        ("TEXT_MESSAGE_START", None),
        ("TEXT_DELTA", "Second."),
        ("TEXT_MESSAGE_END", None),
    ]
    check_log(log)


async def test_what_all_calls_of_a_turn_have_cost_is_told_at_its_end(wired: Client, provider: FakeProvider) -> None:
    provider.answers(Call("weather", '{"city":"Oslo"}'), Spent(100, 20, cached=40, reasoning=5))
    provider.answers(Text("Rain."), Spent(200, 10))
    session = await wired.session()

    await wired.ended(session, (await wired.accepted(session, "Oslo?"))["runtimeRunId"])

    (finished,) = [event for event in await wired.log(session) if event["type"] == "MESSAGE_TURN_FINISHED"]
    usage = finished["usage"]
    assert 0 < usage.pop("costUsd") < 0.01
    # Anthropic's wire does not say how many of the tokens were reasoning.
    reasoning = {} if wired.agent == "anthropic" else {"reasoningTokens": 5}
    assert usage == {"inputTokens": 300, "outputTokens": 30, "cacheReadTokens": 40, **reasoning}


async def test_characters_that_a_provider_has_cut_in_two_are_put_together(
    wired: Client, provider: FakeProvider
) -> None:
    provider.answers(Text("a\ud83d"), Text("\ude00b"), Text("c\ud83d"), Reason("d\ude00"), Text("e\x00"))
    provider.answers(Text("Fine."))
    session = await wired.session()

    first = await wired.ended(session, (await wired.accepted(session, "Smile"))["runtimeRunId"])
    second = await wired.ended(session, (await wired.accepted(session, "Again"))["runtimeRunId"])

    assert [run["status"] for run in (first, second)] == ["completed", "completed"]
    told = [event["text"] for event in await wired.log(session) if event["type"] == "TEXT_DELTA"]
    assert "".join(told) == "a\U0001f600bc\ufffde\x00Fine."
    check_log(await wired.log(session))
