"""Messages refer to uploads: checked when they come, kept as they are, and read when somebody looks at them."""

from hashlib import sha256
from typing import Any

import httpx

from tests.harness.client import Client

PNG = b"\x89PNG and what follows"


async def uploaded(client: Client, session: str, data: bytes = PNG, kind: str = "image/png") -> str:
    """Upload a file, and return what messages call it."""
    made = await client.http.post(f"/sessions/{session}/branches/main/content", files={"file": ("a.png", data, kind)})
    assert made.status_code == 201, made.text
    return f"hpd-content://{made.json()['contentId']}"


async def say(
    client: Client, session: str, *contents: dict[str, Any], agent: str = "reader", branch: str = "main"
) -> httpx.Response:
    """Send a message with contents."""
    body = {"type": "USER_MESSAGES_INPUT", "messages": [{"contents": contents}]}
    return await client.http.post(f"/agents/{agent}/sessions/{session}/branches/{branch}/inputs", json=body)


async def answer_to(client: Client, session: str, response: httpx.Response, branch: str = "main") -> dict[str, Any]:
    """Return a run once it has ended, with what its agent said as `said`."""
    assert response.status_code == 202, response.text
    run = await client.ended(session, response.json()["runtimeRunId"], branch)
    log = await client.log(session, branch)
    started = [index for index, event in enumerate(log) if event["type"] == "BRANCH_RUN_STARTED"][-1]
    said = [event["text"] for event in log[started:] if event["type"] == "TEXT_DELTA"]
    return run | {"said": "".join(said)}


async def test_an_agent_reads_the_bytes_that_a_message_refers_to(content_client: Client) -> None:
    session = await content_client.session()
    uri = await uploaded(content_client, session)

    sent = await say(content_client, session, {"$type": "text", "text": "look"}, {"$type": "uri", "uri": uri})
    run = await answer_to(content_client, session, sent)

    assert (run["status"], run["said"]) == ("completed", sha256(PNG).hexdigest())
    log = await content_client.log(session)
    added = [event["content"] for event in log if event["type"] == "CONTENT_ADDED"]
    assert added == [{"$type": "text", "text": "look"}, {"$type": "uri", "uri": uri, "mediaType": "image/png"}]


async def test_a_fork_keeps_what_its_messages_refer_to(content_client: Client) -> None:
    session = await content_client.session()
    uri = await uploaded(content_client, session)
    sent = await say(content_client, session, {"$type": "uri", "uri": uri})
    await answer_to(content_client, session, sent)
    source = f"/agents/seer/sessions/{session}/branches/main/fork"
    message = sent.json()["messageId"]

    forked = await content_client.http.post(source, json={"fromMessageId": message, "newBranchId": "fork"})
    asked = await say(content_client, session, {"$type": "text", "text": "now?"}, agent="seer", branch="fork")
    run = await answer_to(content_client, session, asked, "fork")

    assert forked.status_code == 201, forked.text
    assert run["said"] == f"image/png {sha256(PNG).hexdigest()}|now?"
    through = f"/sessions/{session}/branches/fork/content/{uri.rpartition('/')[2]}"
    assert (await content_client.http.get(through)).content == PNG


async def test_a_model_is_given_the_bytes_and_told_of_those_that_are_deleted(content_client: Client) -> None:
    session = await content_client.session()
    first, second = await uploaded(content_client, session), await uploaded(content_client, session, b"%PDF", "x/y")

    one = await say(content_client, session, {"$type": "uri", "uri": first}, agent="seer")
    shown = await answer_to(content_client, session, one)
    deleted = await content_client.http.delete(f"/sessions/{session}/content/{first.rpartition('/')[2]}")
    two = await say(content_client, session, {"$type": "hpd:document", "uri": second}, agent="seer")
    without = await answer_to(content_client, session, two)

    assert shown["said"] == f"image/png {sha256(PNG).hexdigest()}"
    assert deleted.status_code == 204
    assert without["said"] == f"(a file that has been deleted since)|x/y {sha256(b'%PDF').hexdigest()}"


async def test_a_reference_that_leads_nowhere_or_says_another_type_is_refused(content_client: Client) -> None:
    session, other = await content_client.session(), await content_client.session()
    mine, theirs = await uploaded(content_client, session), await uploaded(content_client, other)
    wrong = {
        "unknown": {"$type": "uri", "uri": "hpd-content://cnt_1"},
        "another session's": {"$type": "uri", "uri": theirs},
        "no id": {"$type": "uri", "uri": "hpd-content://a/../b"},
        "no slashes": {"$type": "uri", "uri": mine.replace("//", "")},
        "another type": {"$type": "uri", "uri": mine, "mediaType": "image/gif"},
        "another kind": {"$type": "hpd:audio", "uri": mine},
    }

    refused = {
        what: (await say(content_client, session, {"$type": "text", "text": "look"}, content)).json()
        for what, content in wrong.items()
    }

    assert {what: problem["code"] for what, problem in refused.items()} == dict.fromkeys(wrong, "invalid-input")
    for what in ("unknown", "another session's", "no id", "no slashes"):
        assert refused[what]["detail"].startswith("`messages[0].contents[1].uri` names no file that was uploaded")
    for what in ("another type", "another kind"):
        assert refused[what]["detail"].startswith("`messages[0].contents[1].mediaType`")
    assert [event["type"] for event in await content_client.log(session)] == ["BRANCH_CREATED"]


async def test_what_was_uploaded_without_a_type_is_what_the_message_says(content_client: Client) -> None:
    session = await content_client.session()
    uri = await uploaded(content_client, session, kind="application/octet-stream")

    content = {"$type": "hpd:image", "uri": uri, "mediaType": "IMAGE/png"}
    sent = await say(content_client, session, content, agent="seer")
    run = await answer_to(content_client, session, sent)

    assert run["said"] == f"image/png {sha256(PNG).hexdigest()}"


async def test_an_input_whose_file_is_deleted_before_its_run_begins_says_so(content_client: Client) -> None:
    session = await content_client.session()
    uri = await uploaded(content_client, session)
    content_client.agent = "demo"
    busy = await content_client.accepted(session, "/slow 2")
    queued = {"type": "USER_MESSAGES_INPUT", "messages": [{"contents": [{"$type": "uri", "uri": uri}]}]}
    waiting = await content_client.http.post(
        f"/agents/seer/sessions/{session}/branches/main/inputs", json=queued | {"runningRunBehavior": "queue"}
    )
    assert waiting.json()["status"] == "queued", busy
    await content_client.http.delete(f"/sessions/{session}/content/{uri.rpartition('/')[2]}")

    run = await content_client.ended(session, busy["runtimeRunId"])
    async with content_client.feed(session, after=waiting.json()["position"]) as feed:
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED" and event["agentId"] == "seer")
    failed = await content_client.run(session, waiting.json()["runtimeRunId"])

    assert run["status"] == "completed"
    assert failed["status"] == "failed"
    assert failed["error"]["type"] == "ContentGone"
    assert "deleted" in failed["error"]["message"]
