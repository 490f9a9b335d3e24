"""What an input brings waits with it, whole."""

import httpx

from tests.harness.client import Client
from tests.interrupt.talk import Talk
from tests.queueing.busy import busy, let_go, said


async def _send_messages(talk: Talk, messages: list[dict[str, str]], behavior: str) -> httpx.Response:
    body = {"type": "USER_MESSAGES_INPUT", "messages": messages, "runningRunBehavior": behavior}
    return await talk.post("inputs", body)


async def test_messages_that_wait_have_their_ids_already(client: Client) -> None:
    talk = await busy(client)
    waiting = [{"messageId": "first", "text": "a"}, {"messageId": "second", "text": "b"}]
    accepted = await _send_messages(talk, waiting, "queue")
    before = await talk.log()

    clashes = [
        await _send_messages(talk, [{"messageId": "other", "text": "c"}, {"messageId": name, "text": "c"}], behavior)
        for name in ("first", "second")
        for behavior in ("queue", "interrupt")
    ]
    after = await talk.log()
    fine = await _send_messages(talk, [{"messageId": "other", "text": "c"}], "queue")
    await let_go(talk)
    log = await talk.idle()
    again = await _send_messages(talk, [{"messageId": "first", "text": "c"}], "queue")

    assert (accepted.status_code, accepted.json()["messageId"]) == (202, "second")
    assert [(clash.status_code, clash.json()["code"]) for clash in clashes] == [(409, "message-exists")] * 4
    assert after == before
    assert (fine.status_code, fine.json()["messageId"]) == (202, "other")
    assert [event["messageId"] for event in log if event["type"] == "MESSAGE_STARTED"][1:] == [
        "first",
        "second",
        "other",
    ]
    assert (again.status_code, again.json()["code"]) == (409, "message-exists")


async def test_the_id_of_a_message_that_was_removed_is_free_again(client: Client) -> None:
    talk = await busy(client)
    first = await _send_messages(talk, [{"messageId": "mine", "text": "a"}], "queue")
    await talk.remove(first.json()["runtimeRunId"])

    second = await _send_messages(talk, [{"messageId": "mine", "text": "b"}], "queue")
    await let_go(talk)
    log = await talk.idle()

    assert second.status_code == 202
    assert said(log)[1:] == ["b"]


async def test_an_input_of_several_messages_waits_as_one_with_all_that_it_brought(client: Client) -> None:
    talk = await busy(client)
    messages = [
        {"role": "system", "text": "Be brief."},
        {"role": "assistant", "content": "I am."},
        {"role": "user", "contents": [{"$type": "text", "text": "What"}, {"$type": "text", "text": " now?"}]},
    ]

    response = await talk.post(
        "inputs",
        {
            "type": "USER_MESSAGES_INPUT",
            "messages": messages,
            "clientInputId": "mine-1",
            "runConfig": {"permissionOverrides": {"delete_file": True}},
            "runningRunBehavior": "queue",
        },
    )
    items = await talk.queue()
    counted = (await talk.get(""))["messageCount"]
    await let_go(talk)
    log = await talk.idle()

    assert (response.status_code, [item["text"] for item in items]) == (202, ["What now?"])
    assert items[0]["messageId"] == response.json()["messageId"]
    assert counted == 1
    start = next(index for index, event in enumerate(log) if event.get("clientInputId") == "mine-1")
    assert log[start - 1]["type"] == "BRANCH_RUN_STARTED"
    brought = [event for event in log[start:] if event["type"] == "MESSAGE_STARTED"]
    assert [(event["role"], event["clientInputId"]) for event in brought] == [
        ("system", "mine-1"),
        ("assistant", "mine-1"),
        ("user", "mine-1"),
    ]
    assert said(log)[1:] == ["Be brief.", "I am.", "What", " now?"]


async def test_files_wait_with_their_message(client: Client) -> None:
    talk = await busy(client)
    files = [
        {"$type": "data", "uri": "data:image/png;base64,iVBORw0KGgo=", "mediaType": "image/png"},
        {"$type": "uri", "uri": "https://example.org/a.pdf", "mediaType": "application/pdf"},
    ]
    body = {"type": "USER_MESSAGES_INPUT", "messages": [{"contents": files}], "runningRunBehavior": "queue"}

    response = await talk.post("inputs", body)
    items = await talk.queue()
    await let_go(talk)
    log = await talk.idle()

    assert (response.status_code, [item["text"] for item in items]) == (202, [""])
    assert [event["content"] for event in log if event["type"] == "CONTENT_ADDED"][1:] == files


async def test_what_a_waiting_run_is_allowed_is_what_it_was_sent_with(client: Client) -> None:
    talk = await busy(client)

    await talk.say("/permission", "queue", runConfig={"permissionOverrides": {"delete_file": True}})
    await let_go(talk)
    log = await talk.idle()

    assert [event.get("reason") for event in log if event["type"] == "PERMISSION_APPROVED"] == [None, "override"]


async def test_an_input_that_cannot_run_is_refused_before_it_waits(client: Client) -> None:
    talk = await busy(client)
    before = await talk.log()

    answers = [
        await talk.send("", "queue"),
        await talk.send("Hi", "queue", runConfig={"apiKey": "secret"}),
        await talk.send("Hi", "queue", colour="red"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (400, "invalid-input"),
        (400, "run-config-refused"),
        (400, "unknown-member"),
    ]
    assert await talk.log() == before
    await talk.interrupt()
    await talk.idle()
