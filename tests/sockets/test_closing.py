"""How a WebSocket ends: which code and reason each fault has, and that nothing else was harmed by it."""

import json

import pytest

from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request, of_type, only
from tests.sockets.raw import CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, frame
from tests.sockets.talk import Talk

MAX_BYTES = 1 << 20
INVALID = (1007, "Invalid agent input or response event envelope")
NO_ENVELOPES = {
    "nothing": "",
    "space": "  ",
    "words": "hello",
    "half an object": '{"type":"USER_TEXT_INPUT","text":"a"',
    "null": "null",
    "a number": "7",
    "a string": '"USER_TEXT_INPUT"',
    "an array": '[{"type":"USER_TEXT_INPUT","text":"a"}]',
    "an empty object": "{}",
    "a text without a type": '{"text":"hello"}',
    "a type that is no string": '{"type":7,"text":"hello"}',
    "an empty type": '{"type":"","text":"hello"}',
    "an unknown type": '{"type":"NO_SUCH_EVENT"}',
    "an event that is neither": '{"type":"TEXT_DELTA","messageId":"a","text":"b"}',
    "a question": '{"type":"CLARIFICATION_REQUEST","requestId":"a","sourceName":"b","question":"c"}',
    "what only the server says": '{"type":"AGENT_RESPONSE_REJECTED","requestId":"a"}',
    "an input without its text": '{"type":"USER_TEXT_INPUT"}',
    "an empty text": '{"type":"USER_TEXT_INPUT","text":""}',
    "a text that is a number": '{"type":"USER_TEXT_INPUT","text":7}',
    "no messages": '{"type":"USER_MESSAGES_INPUT","messages":[]}',
    "an id that cannot be one": '{"type":"USER_MESSAGES_INPUT","messages":[{"messageId":"a b","text":"a"}]}',
    "an unknown behaviour": '{"type":"USER_TEXT_INPUT","text":"a","runningRunBehavior":"wait"}',
    "a runConfig that is none": '{"type":"USER_TEXT_INPUT","text":"a","runConfig":7}',
    "a runConfig that is refused": '{"type":"USER_TEXT_INPUT","text":"a","runConfig":{"apiKey":"a"}}',
    "an interrupt with a wrong member": '{"type":"INTERRUPTION_REQUEST","reason":7}',
    "an answer to nothing": '{"type":"PERMISSION_RESPONSE","approved":true}',
    "an answer that says nothing": '{"type":"PERMISSION_RESPONSE","permissionId":"a"}',
    "a contradiction": '{"type":"PERMISSION_RESPONSE","permissionId":"a","approved":true,"choice":"deny_always"}',
    "a NUL": '{"type":"USER_TEXT_INPUT","text":"\\u0000"}',
    "half a surrogate pair": '{"type":"USER_TEXT_INPUT","text":"\\ud800"}',
}


async def test_what_is_no_envelope_is_1007_and_changes_nothing(client: Client) -> None:
    session = await client.session()

    endings = {}
    for name, text in NO_ENVELOPES.items():
        async with Talk(client, session) as talk:
            await talk.send(text)
            endings[name] = await talk.ending()
            assert talk.lines == [], name

    assert endings == dict.fromkeys(NO_ENVELOPES, INVALID)
    assert len(await client.log(session)) == 1


async def test_text_that_is_not_utf_8_is_1007(client: Client) -> None:
    session = await client.session()

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        await raw.write(frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"\xff"}'))
        code, _ = await raw.closing()

    assert code == 1007


@pytest.mark.parametrize("data", [b"", b'{"type":"USER_TEXT_INPUT","text":"hello"}', b"\x00" * 1000])
async def test_a_binary_frame_is_1003(client: Client, data: bytes) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        await talk.send(data)
        ending = await talk.ending()

    assert ending == (1003, "Only text frames hold envelopes")
    assert len(await client.log(session)) == 1


async def test_an_input_while_a_run_is_active_is_1008_and_the_run_goes_on(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as first, Talk(client, session) as second:
        await first.say("/slow 40")
        await first.until("TEXT_DELTA")
        await second.say("me too")
        ending = await second.ending()
        last = await first.end()

    assert ending == (1008, "branch-run-active")
    assert last["status"] == "completed"
    assert first.lines == (await client.log_lines(session))[1:]


@pytest.mark.parametrize("flow", [{}, {"eventFlowId": "trn_stale"}])
async def test_an_interrupt_without_a_run_is_1008(client: Client, flow: dict[str, str]) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        await talk.send({"type": "INTERRUPTION_REQUEST", **flow})
        ending = await talk.ending()

    assert ending == (1008, "branch-run-not-active")


async def test_an_interrupt_of_a_flow_that_has_ended_is_1008_and_the_run_goes_on(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk, Talk(client, session) as late:
        await talk.say("/slow 40")
        await talk.until("TEXT_DELTA")
        await late.send({"type": "INTERRUPTION_REQUEST", "eventFlowId": "trn_stale"})
        ending = await late.ending()
        last = await talk.end()

    assert ending == (1008, "branch-run-not-active")
    assert last["status"] == "completed"


async def test_an_input_too_many_is_1008_and_those_before_it_run(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk, Talk(client, session) as hasty:
        await talk.say("/slow 1000")
        await talk.until("TEXT_DELTA")
        for number in range(101):
            await hasty.say(f"number {number}", runningRunBehavior="queue")
        ending = await hasty.ending()
        waiting = (await client.http.get(f"/sessions/{session}/branches/main/queue")).json()["items"]
        for item in waiting[1:]:
            await client.http.delete(f"/sessions/{session}/branches/main/queue/{item['runtimeRunId']}")
        await talk.send({"type": "INTERRUPTION_REQUEST"})
        await talk.until(lambda event: event.get("runtimeRunId") == waiting[0]["runtimeRunId"] and "status" in event)

    assert ending == (1008, "queue-full")
    assert [item["text"] for item in waiting] == [f"number {number}" for number in range(100)]


async def test_a_message_id_that_is_taken_is_1008(client: Client) -> None:
    session = await client.session()
    once = {"type": "USER_MESSAGES_INPUT", "messages": [{"messageId": "mine", "text": "Hi"}]}

    async with Talk(client, session) as talk:
        await talk.send(once)
        await talk.end()
        await talk.send(once)
        ending = await talk.ending()

    assert ending == (1008, "message-exists")


async def test_one_mib_is_taken_and_a_byte_more_is_1009(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        await talk.send(_padded(MAX_BYTES))
        last = await talk.end()
    async with Talk(client, session) as larger:
        await larger.send(_padded(MAX_BYTES + 1))
        ending = await larger.ending()

    assert last["status"] == "completed"
    assert ending[0] == 1009
    assert len([event for event in await client.log(session) if event["type"] == "BRANCH_RUN_STARTED"]) == 1


async def test_a_message_of_many_fragments_is_taken_up_to_one_mib_with_pings_in_between(client: Client) -> None:
    session = await client.session()
    text = '{"type":"USER_TEXT_INPUT","text":"Grüße 👋"}'.encode()
    pieces = [text[at : at + 1] for at in range(len(text))]

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        for number, piece in enumerate(pieces):
            opcode = CONTINUATION if number else TEXT
            await raw.write(frame(opcode, piece, last=number + 1 == len(pieces)), frame(PING, b"%d" % number))
        pongs = [await raw.read() for _ in pieces]
        opcode, first = await raw.read()
    async with Talk(client, session) as talk:
        whole = _padded(MAX_BYTES)
        await client.ended(session, json.loads(first)["runtimeRunId"])
        await talk.send(whole[at : at + 1000] for at in range(0, MAX_BYTES, 1000))
        await talk.end()

    assert pongs == [(PONG, b"%d" % number) for number in range(len(pieces))]
    assert (opcode, json.loads(first)["type"]) == (TEXT, "BRANCH_RUN_STARTED")
    said = [event["content"]["text"] for event in await client.log(session) if event["type"] == "CONTENT_ADDED"]
    assert said == ["Grüße 👋", json.loads(whole)["text"]]


@pytest.mark.parametrize("step", [1000, 300_000])
async def test_fragments_that_are_too_large_together_are_1009(client: Client, step: int) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        whole = _padded(MAX_BYTES + 1)
        await talk.send(whole[at : at + step] for at in range(0, len(whole), step))
        ending = await talk.ending()

    assert ending[0] == 1009
    assert len(await client.log(session)) == 1


@pytest.mark.parametrize("piece", [b"", b"a"])
async def test_a_message_in_too_many_pieces_is_1009(client: Client, piece: bytes) -> None:
    session = await client.session()

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        await raw.write(frame(TEXT, b"", last=False), *[frame(CONTINUATION, piece, last=False)] * 10_000)
        ending = await raw.closing()

    assert ending == (1009, "too many fragments")


async def test_what_is_nested_too_deep_is_1009(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        await talk.send('{"type":"USER_TEXT_INPUT","text":"a","more":' + "[" * 64 + "]" * 64 + "}")
        ending = await talk.ending()

    assert ending == (1009, "payload-too-large")


@pytest.mark.parametrize(
    "bad",
    [
        frame(TEXT, b"\xaa\x56\x4a", rsv1=True),
        frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"a"}', masked=False),
        frame(3, b""),
        frame(PING, b"a" * 126),
        frame(PING, b"", last=False),
        frame(CONTINUATION, b"a"),
        frame(CLOSE, b"a"),
        frame(CLOSE, (999).to_bytes(2, "big")),
    ],
    ids=["compressed", "unmasked", "unknown", "large ping", "ping in pieces", "no beginning", "half a code", "no code"],
)
async def test_what_is_no_websocket_frame_is_1002(client: Client, bad: bytes) -> None:
    session = await client.session()

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        await raw.write(bad)
        code, _ = await raw.closing()

    assert code == 1002
    assert len(await client.log(session)) == 1


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_client_that_closes_has_its_code_back_and_its_run_goes_on(client: Client, code: int) -> None:
    session = await client.session()

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        await raw.write(frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"/slow 10"}'))
        _, first = await raw.read()
        await raw.write(frame(CLOSE, code.to_bytes(2, "big")))
        ending = await raw.closing()
    run = await client.ended(session, json.loads(first)["runtimeRunId"])

    assert ending == (code, "")
    assert run["status"] == "completed"


async def test_a_refused_answer_is_told_of_and_everything_goes_on(client: Client) -> None:
    session = await client.session()
    nobody = {"type": "CLARIFICATION_RESPONSE", "requestId": "nobody", "answer": "red"}

    async with Talk(client, session) as talk:
        await talk.send(nobody)
        without_a_run = await talk.frame()
        await talk.say("/clarify")
        asked = await talk.until(is_request)
        await talk.send(nobody)
        unknown = await talk.frame()
        await talk.send({"type": "PERMISSION_RESPONSE", "permissionId": asked["requestId"], "approved": True})
        mismatch = await talk.frame()
        await talk.send(answer_to(asked, answer="red"))
        await talk.send(answer_to(asked, answer="green"))
        second = await talk.until("AGENT_RESPONSE_REJECTED")
        if not of_type(talk.events, "BRANCH_RUN_COMPLETED"):
            await talk.end()
        await talk.send(answer_to(asked, answer="blue"))
        late = await talk.frame()

    refused = (without_a_run, unknown, mismatch, second, late)
    assert [(event["responseEventType"], event["outcome"]) for event in refused] == [
        ("CLARIFICATION_RESPONSE", "not-found"),
        ("CLARIFICATION_RESPONSE", "not-found"),
        ("PERMISSION_RESPONSE", "type-mismatch"),
        ("CLARIFICATION_RESPONSE", "already-resolved"),
        ("CLARIFICATION_RESPONSE", "already-resolved"),
    ]
    assert [event["requestId"] for event in refused] == ["nobody", "nobody", *[asked["requestId"]] * 3]
    assert only(talk.events, "BRANCH_RUN_COMPLETED")["status"] == "completed"
    assert [line for line, event in zip(talk.lines, talk.events, strict=True) if "eventId" in event] == (
        await client.log_lines(session)
    )[1:]


async def test_a_refusal_of_an_answer_is_these_bytes(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        await talk.send({"type": "permission_response", "permissionId": "per_1", "approved": True})
        event = await talk.frame()

    time = event["timestamp"]
    assert talk.lines == [
        f'{{"version":"1.0","type":"AGENT_RESPONSE_REJECTED","timestamp":"{time}","sessionId":"{session}",'
        '"branchId":"main","channel":"control","kind":"control","requestId":"per_1",'
        f'"responseEventType":"PERMISSION_RESPONSE","outcome":"not-found","rejectedAt":"{time}"}}'
    ]


def _padded(size: int) -> str:
    """Return an input that takes exactly as many bytes."""
    bare = '{"type":"USER_TEXT_INPUT","text":""}'
    return bare.replace('""', f'"{"a" * (size - len(bare))}"')
