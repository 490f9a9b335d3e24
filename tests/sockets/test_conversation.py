"""A conversation is the same over a live feed with requests beside it and over a WebSocket, to the byte."""

from typing import Any

from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request, of_type
from tests.harness.process import ServerProcess
from tests.interactions.kinds import CLARIFICATION, Kind, each_kind
from tests.sockets.wires import each_wire, wired


@each_wire
async def test_an_input_goes_in_and_the_bytes_of_the_log_come_out(client: Client, wire_kind: str) -> None:
    session = await client.session()

    async with wired(wire_kind, client, session) as wire:
        await wire.say("Grüße, 世界 👋")
        await wire.end()
        await wire.say("/tokens 500")
        await wire.end()

    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
async def test_messages_go_in_as_one_input_with_a_word_of_the_clients_own(client: Client, wire_kind: str) -> None:
    session = await client.session()
    messages = [{"role": "assistant", "text": "Hello."}, {"text": "/history"}]

    async with wired(wire_kind, client, session) as wire:
        await wire.send({"type": "user_messages_input", "messages": messages, "clientInputId": "mine"})
        await wire.end()

    started = of_type(wire.events, "MESSAGE_STARTED")
    assert [(event["role"], event.get("clientInputId")) for event in started] == [
        ("assistant", "mine"),
        ("user", "mine"),
    ]
    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
@each_kind
async def test_a_question_comes_out_and_its_answer_goes_in(server: ServerProcess, kind: Kind, wire_kind: str) -> None:
    async with Client(server.url, kind.agent) as client:
        session = await client.session()
        async with wired(wire_kind, client, session) as wire:
            await wire.say(kind.text, runConfig=kind.config)
            asked = await wire.until(is_request)
            await wire.send(answer_to(asked, **kind.answer))
            last = await wire.end()

        log = await client.log_lines(session)

    assert (asked["type"], last["status"]) == (kind.request, "completed")
    assert len(of_type(wire.events, kind.response)) == 1
    assert wire.lines == log[1:]


@each_wire
async def test_three_questions_at_once_are_answered_last_to_first(client: Client, wire_kind: str) -> None:
    session = await client.session()

    async with wired(wire_kind, client, session) as wire:
        await wire.say("/parallel")
        asked = [await wire.until(is_request) for _ in range(3)]
        for number, request in enumerate(reversed(asked)):
            await wire.send(answer_to(request, approved=number != 1))
        last = await wire.end()

    denied = of_type(wire.events, "PERMISSION_DENIED")
    assert [event["permissionId"] for event in denied] == [asked[1]["permissionId"]]
    assert last["status"] == "completed"
    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
async def test_a_question_inside_of_nested_work_is_answered_from_the_parents_branch(
    client: Client, wire_kind: str
) -> None:
    session = await client.session()

    async with wired(wire_kind, client, session) as wire:
        await wire.say("/subagent 2")
        asked = await wire.until(is_request)
        await wire.send(answer_to(asked, approved=True))
        last = await wire.end()

    assert asked["metadata"]["depth"] == 2
    assert last["status"] == "completed"
    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
async def test_an_interrupt_ends_the_run_and_the_next_input_works(client: Client, wire_kind: str) -> None:
    session = await client.session()

    async with wired(wire_kind, client, session) as wire:
        await wire.say("/slow 1000")
        await wire.of_type("TEXT_DELTA")
        await wire.send({"type": "INTERRUPTION_REQUEST", "reason": "Enough."})
        cancelled = await wire.end()
        await wire.say("Hi")
        completed = await wire.end()

    assert (cancelled["status"], cancelled["cancelled"], cancelled["reason"]) == ("cancelled", True, "Enough.")
    assert completed["status"] == "completed"
    assert len(of_type(wire.events, "INTERRUPTION_HANDLED")) == 1
    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
async def test_inputs_queue_up_and_one_interrupts(client: Client, wire_kind: str) -> None:
    session = await client.session()

    async with wired(wire_kind, client, session) as wire:
        await wire.say("/slow 1000")
        await wire.of_type("TEXT_DELTA")
        await wire.say("second", runningRunBehavior="queue")
        await wire.say("first", runningRunBehavior="interrupt")
        ends = [await wire.end() for _ in range(3)]

    said = [event["content"]["text"] for event in of_type(wire.events, "CONTENT_ADDED")]
    assert [event["status"] for event in ends] == ["cancelled", "completed", "completed"]
    assert said == ["/slow 1000", "first", "second"]
    assert wire.lines == (await client.log_lines(session))[1:]


@each_wire
async def test_the_ids_of_the_route_win_over_those_in_an_envelope(client: Client, wire_kind: str) -> None:
    session, other = await client.session(), await client.session()
    elsewhere = {"agentId": "none", "sessionId": other, "branchId": "none"}

    async with wired(wire_kind, client, session) as wire:
        await wire.say(CLARIFICATION.text, **elsewhere)
        asked = await wire.until(is_request)
        await wire.send({**answer_to(asked, answer="red"), **elsewhere})
        await wire.end()

    assert _scopes(wire.events) == {(session, "main")}
    assert wire.lines == (await client.log_lines(session))[1:]
    assert len(await client.log(other)) == 1


def _scopes(events: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(event["sessionId"], event["branchId"]) for event in events}
