"""What a model is asked to summarise, and what it is given afterwards."""

from typing import Any

import pytest

from tests.compaction.talking import compactions, ran
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Hold, Spent, Status, Text
from tests.models.opened import said_in

MODEL = {"providerKey": "openai", "modelName": "dear", "endpoint": "http://127.0.0.1:9/v1"}
COMPACTION = {"trigger": {"messages": 3}, "keepMessages": 1, "modelName": "cheap", "instructions": "Count the sheep."}


async def defined(client: Client, port: int, compaction: dict[str, Any], **more: Any) -> str:
    """Store a definition with a compaction, and return its id."""
    model = {**MODEL, "endpoint": f"http://127.0.0.1:{port}/v1"}
    config = {"clients": {"chat": model}, "compaction": compaction, **more}
    answer = await client.http.post("/agents", json={"name": "frugal", "config": config})
    assert answer.status_code == 201, answer.text
    assert answer.json()["config"]["compaction"] == compaction
    return str(answer.json()["id"])


async def test_the_model_that_a_definition_names_summarises_and_the_agents_own_goes_on_with_that(
    open_client: Client, provider: FakeProvider, provider_port: int
) -> None:
    agent = await defined(open_client, provider_port, COMPACTION, systemInstructions="Be kind.")
    session = await open_client.session()
    for text in ("First.", "Second."):
        provider.answers(Text(f"To {text}"))
        await ran(open_client, session, agent, text=text)
    provider.answers(Text(" Two sheep. "), Spent(100, 7))
    provider.answers(Text("Third, too."), Spent(50, 5))

    events = await ran(open_client, session, agent, text="Third.")

    asked, answered = (await provider.request(2)).body, (await provider.request(3)).body
    assert (asked["model"], answered["model"]) == ("cheap", "dear")
    assert asked["messages"][0] == {"role": "system", "content": "Count the sheep."}
    assert asked["messages"][1]["content"] == "The conversation:\n\nuser: First.\n\nassistant: To First."
    assert [message["role"] for message in answered["messages"]] == ["system", "user", "user", "assistant", "user"]
    assert answered["messages"][1]["content"] == "Summary of the conversation so far:\nTwo sheep."
    assert compactions(events)[-1]["summaryContent"] == "Two sheep."
    finished = next(event for event in events if event["type"] == "MESSAGE_TURN_FINISHED")
    assert (finished["usage"]["inputTokens"], finished["usage"]["outputTokens"]) == (150, 12)
    check_log(await open_client.log(session))


async def test_a_provider_that_cannot_summarise_keeps_no_run_from_being_answered(
    open_client: Client, provider: FakeProvider, provider_port: int
) -> None:
    agent = await defined(open_client, provider_port, {"trigger": {"messages": 3}, "keepMessages": 1})
    session = await open_client.session()
    for text in ("First.", "Second."):
        provider.answers(Text(f"To {text}"))
        await ran(open_client, session, agent, text=text)
    provider.answers(Status(429, {"retry-after": "1"}, message="CANARY"))
    provider.answers(Text("Third, too."))

    events = await ran(open_client, session, agent, text="Third.")

    skipped = compactions(events)[-1]
    assert (skipped["status"], "CANARY" in skipped["reason"]) == ("skipped", False)
    assert "dear" in skipped["reason"]
    assert len((await provider.request(3)).messages()) == 5
    assert said_in(events) == "Third, too."


async def test_an_interrupt_ends_a_run_that_waits_for_its_summary(
    open_client: Client, provider: FakeProvider, provider_port: int
) -> None:
    agent = await defined(open_client, provider_port, {"trigger": {"messages": 3}, "keepMessages": 1})
    session = await open_client.session()
    for text in ("First.", "Second."):
        provider.answers(Text(f"To {text}"))
        await ran(open_client, session, agent, text=text)
    provider.answers(Text("Two"), Hold())
    open_client.agent = agent
    accepted = await open_client.accepted(session, "Third.")
    summarising = await provider.request(2)

    response = await open_client.http.post(f"{open_client.path(session)}/interrupt", json={})
    run = await open_client.ended(session, accepted["runtimeRunId"])

    assert (response.status_code, run["status"]) == (202, "cancelled")
    await summarising.left()
    log = await open_client.log(session)
    check_log(log)
    assert [event["status"] for event in compactions(log)] == ["started"]


@pytest.mark.parametrize(
    ("compaction", "pointer"),
    [
        ({"trigger": {"messages": 10}, "keepMessages": 9}, "/config/compaction/keepMessages"),
        ({"trigger": {"messages": 2}}, "/config/compaction/trigger/messages"),
        ({"model": "cheap"}, "/config/compaction/model"),
        ({"strategy": "guess"}, "/config/compaction/strategy"),
        ({"onFork": 1}, "/config/compaction/onFork"),
    ],
)
async def test_a_compaction_that_cannot_be_is_refused_at_the_member_that_is_to_blame(
    open_client: Client, compaction: dict[str, Any], pointer: str
) -> None:
    config = {"clients": {"chat": MODEL}, "compaction": compaction}

    answer = await open_client.http.post("/agents", json={"name": "impossible", "config": config})

    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (400, "config-refused", pointer)
