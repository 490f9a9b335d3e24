"""Files in messages, on each wire: bytes and addresses reach the provider as they came, again in every later run."""

import base64
import json
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Status, Text

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256))).decode()
PAPER = base64.b64encode(b"%PDF-1.7\n%%EOF\n").decode()
ELSEWHERE = "https://example.org/a.png"
CONTENTS = [
    {"$type": "text", "text": "Which is"},
    {"$type": "data", "uri": f"data:image/png;base64,{PICTURE}"},
    {"$type": "hpd:document", "uri": f"data:application/pdf;base64,{PAPER}"},
    {"$type": "uri", "uri": ELSEWHERE, "mediaType": "image/png"},
    {"$type": "text", "text": "the best?"},
]


def _shown(part: dict[str, Any]) -> str:
    """Return what a part of a message says or shows, on whichever wire."""
    match part:
        case {"text": text}:
            return str(text)
        case {"image_url": {"url": url}} | {"image_url": url}:
            return str(url)
        case {"file": {"file_data": uri}} | {"type": "input_file", "file_data": uri}:
            return str(uri)
        case {"source": {"type": "url", "url": url}}:
            return str(url)
        case {"source": {"type": "base64", "media_type": media_type, "data": data}}:
            return f"data:{media_type};base64,{data}"
    raise AssertionError(part)


SHOWN = [
    "Which is",
    f"data:image/png;base64,{PICTURE}",
    f"data:application/pdf;base64,{PAPER}",
    ELSEWHERE,
    "the best?",
]

UNTAKEN = {
    "type": "ModelCallRefused",
    "message": "The model gpt-5-mini cannot be given a file of the conversation: it does not take this kind, or the "
    "file cannot be fetched.",
}


async def _said(client: Client, session: str, contents: list[dict[str, Any]], branch: str = "main") -> dict[str, Any]:
    """Submit a message, and return its run when that has ended."""
    body = {"type": "USER_MESSAGES_INPUT", "messages": [{"contents": contents}]}
    response = await client.http.post(f"{client.path(session, branch)}/inputs", json=body)
    assert response.status_code == 202, response.text
    return await client.ended(session, response.json()["runtimeRunId"], branch)


async def _name(client: Client, session: str, branch: str) -> str:
    response = await client.http.get(f"/sessions/{session}/branches/{branch}")
    return str(response.json()["name"])


async def test_text_and_files_reach_the_provider_in_their_order_now_and_in_later_runs(
    wired: Client, provider: FakeProvider
) -> None:
    provider.answers(Text("The first."))
    provider.answers(Text("Because."))
    session = await wired.session()

    await _said(wired, session, CONTENTS)
    accepted = await wired.accepted(session, "Why?")
    run = await wired.ended(session, accepted["runtimeRunId"])

    log = await wired.log(session)
    assert run["status"] == "completed"
    for number in (0, 1):
        asked = [message for message in (await provider.request(number)).messages() if message.get("role") == "user"]
        assert [_shown(part) for part in asked[0]["content"]] == SHOWN
    added = [event["content"] for event in log if event["type"] == "CONTENT_ADDED"]
    assert [content["$type"] for content in added] == ["text", "data", "data", "uri", "text", "text"]
    assert [content.get("mediaType") for content in added[1:4]] == ["image/png", "application/pdf", "image/png"]
    check_log(log)


async def test_a_message_may_be_nothing_but_a_file_and_one_that_is_text_stays_plain_text(
    chat: Client, provider: FakeProvider
) -> None:
    provider.answers(Text("A picture."))
    provider.answers(Text("Hello."))
    session = await chat.session()
    branch = await chat.branch(session, "drawn")

    await _said(chat, session, [{"$type": "data", "uri": f"data:image/png;base64,{PICTURE}"}], branch)
    unnamed = await _name(chat, session, branch)
    await _said(chat, session, [{"$type": "text", "text": "Hi "}, {"$type": "text", "text": "there"}], branch)

    users = [message for message in (await provider.request(1)).messages() if message["role"] == "user"]
    assert [_shown(part) for part in users[0]["content"]] == [f"data:image/png;base64,{PICTURE}"]
    assert users[1]["content"] == "Hi there"
    assert (unnamed, await _name(chat, session, branch)) == ("drawn", "Hi there")


UNSENDABLE: dict[str, list[dict[str, Any]]] = {
    "a sound that chat completions do not know": [{"$type": "data", "uri": "data:audio/webm;base64,AAAA"}],
    "a film": [{"$type": "uri", "uri": "https://example.org/a.mp4", "mediaType": "video/mp4"}],
    "a text that is none": [{"$type": "data", "uri": "data:text/plain;base64,/w=="}],
    # Chat completions take no addresses of documents: the server would have to fetch it from its own network.
    "a paper from inside": [{"$type": "uri", "uri": "INSIDE", "mediaType": "application/pdf"}],
}


async def test_a_file_that_the_model_cannot_take_fails_its_run_at_once_and_is_never_fetched_from_this_network(
    chat: Client, provider: FakeProvider
) -> None:
    for name, contents in UNSENDABLE.items():
        session = await chat.session()
        given = [content | {"uri": content["uri"].replace("INSIDE", f"{provider.url}/a.pdf")} for content in contents]

        run = await _said(chat, session, given)

        assert (name, run["status"], run["error"]) == (name, "failed", UNTAKEN)
        log = await chat.log(session)
        assert [event for event in log if event["type"] == "MODEL_CALL_RETRY"] == []
        check_log(log)
    assert provider.requests == []


async def test_files_that_a_model_cannot_take_are_no_reason_to_ask_it_nothing_more(
    chat: Client, provider: FakeProvider
) -> None:
    for _ in range(7):
        await _said(chat, await chat.session(), UNSENDABLE["a sound that chat completions do not know"])
    provider.answers(Text("Hello."))
    session = await chat.session()

    accepted = await chat.accepted(session, "Hi")
    run = await chat.ended(session, accepted["runtimeRunId"])

    assert run["status"] == "completed"


@pytest.mark.parametrize("name", UNSENDABLE)
async def test_a_file_that_could_not_be_given_is_words_in_later_runs(
    chat: Client, provider: FakeProvider, name: str
) -> None:
    session = await chat.session()
    given = [each | {"uri": each["uri"].replace("INSIDE", f"{provider.url}/a.pdf")} for each in UNSENDABLE[name]]
    await _said(chat, session, [{"$type": "text", "text": "Look:"}, *given])
    provider.answers(Text("At what?"))

    run = await _said(chat, session, [{"$type": "text", "text": "Well?"}])

    asked = [message["content"] for message in (await provider.request(0)).messages() if message["role"] == "user"]
    assert run["status"] == "completed"
    assert "(a file that cannot be given to this model)" in json.dumps(asked)
    assert "Look:" in json.dumps(asked)


async def test_earlier_files_that_the_provider_refuses_are_words_when_it_is_asked_again_and_new_ones_are_refused(
    wired: Client, provider: FakeProvider
) -> None:
    picture = {"$type": "data", "uri": f"data:image/png;base64,{PICTURE}"}
    provider.otherwise = lambda request: (Status(400),) if PICTURE in json.dumps(request.body) else (Text("Fine."),)
    session = await wired.session()

    first = await _said(wired, session, [picture])
    second = await _said(wired, session, [{"$type": "text", "text": "Hi"}])
    third = await _said(wired, session, [{"$type": "text", "text": "And now?"}, picture])

    assert [run["status"] for run in (first, second, third)] == ["failed", "completed", "failed"]
    assert first["error"]["type"] == third["error"]["type"] == "ModelCallRefused"
    check_log(await wired.log(session))
