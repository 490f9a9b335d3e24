"""What a client does with the questions of a run, and a run's log in a few words."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.edge.deadline import seconds_until
from tests.harness.client import Client
from tests.harness.patience import Patience

Question = dict[str, Any]

_ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "PERMISSION_REQUEST": ("permissionId", {"approved": True}),
    "CONTINUATION_REQUEST": ("continuationId", {"approved": True}),
    "CLARIFICATION_REQUEST": ("requestId", {"answer": "green"}),
    "CLIENT_TOOL_INVOKE_REQUEST": ("requestId", {"content": [{"type": "text", "text": "rung"}]}),
    "QUIZ_REQUEST": ("requestId", {"points": 7}),
}

MY_TOOLS = {
    "clientToolHarnesses": [{"name": "bells", "tools": [{"name": "ring", "parametersSchema": {"type": "object"}}]}]
}


async def said(
    client: Client, session: str, text: str, *, agent: str = "demo", config: dict[str, Any] | None = None
) -> str:
    """Say something to an agent, and return the run that it starts."""
    path = f"/agents/{agent}/sessions/{session}/branches/main/inputs"
    response = await client.http.post(path, json={"text": text, "runConfig": config or {}})
    assert response.status_code == 202, response.text
    return str(response.json()["runtimeRunId"])


async def told(client: Client, session: str, line: str, count: int = 1) -> None:
    """Wait until a line of the story, at any depth, was told so often."""

    async def so_often() -> bool:
        return sum(each.endswith(line) for each in story(await client.log(session))) >= count

    await seconds_until(so_often, within=20)


async def resumed(client: Client, session: str, count: int = 1) -> None:
    """Wait until so many turns of a run have begun again."""
    await told(client, session, "MESSAGE_TURN_STARTED resumed", count)


async def listed(client: Client, session: str) -> list[Question]:
    """Return the questions that wait for an answer."""
    response = await client.http.get(f"/sessions/{session}/branches/main/interactions")
    assert response.status_code == 200, response.text
    questions: list[Question] = response.json()
    return questions


async def asked(client: Client, session: str, count: int = 1) -> list[Question]:
    """Return the questions that wait for an answer, as soon as there are so many."""

    async def enough() -> bool:
        return len(await listed(client, session)) >= count

    await seconds_until(enough, within=20)
    questions = await listed(client, session)
    assert len(questions) == count
    return questions


def answer_to(question: Question, **members: Any) -> dict[str, Any]:
    """Return an answer to a question, which is yes where it can be."""
    id_member, answer = _ANSWERS[question["type"]]
    return {"type": question["expectedResponseType"], id_member: question["requestId"], **answer, **members}


async def answer(client: Client, session: str, question: Question, **members: Any) -> httpx.Response:
    """Answer a question."""
    return await client.http.post(f"{client.path(session)}/responses", json=answer_to(question, **members))


async def accepted(client: Client, session: str, question: Question, **members: Any) -> dict[str, Any]:
    """Answer a question, which must be accepted, and return what the server says."""
    response = await answer(client, session, question, **members)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert (body["requestId"], body["outcome"]) == (question["requestId"], "accepted")
    return body


async def answered_to_the_end(client: Client, session: str, run_id: str) -> dict[str, Any]:
    """Say yes to whatever a run asks until it has ended, and return it."""
    patience = Patience()
    async with asyncio.timeout(30):
        while (run := await client.run(session, run_id))["status"] == "active":
            for question in await listed(client, session):
                # Refused when it is settled meanwhile: then the next look does not find it any more.
                await answer(client, session, question)
            await patience.wait()
    return run


async def interrupt(client: Client, session: str, reason: str = "enough") -> httpx.Response:
    """Interrupt the active run."""
    return await client.http.post(f"{client.path(session)}/interrupt", json={"reason": reason})


async def message_count(client: Client, session: str) -> int:
    """Return how many messages the branch says it has."""
    response = await client.http.get(f"/sessions/{session}/branches/main")
    assert response.status_code == 200, response.text
    return int(response.json()["messageCount"])


async def history(client: Client, session: str) -> str:
    """Return what the demo agent says it is given, by asking it: one message more is there then."""
    run = (await client.accepted(session, "/history"))["runtimeRunId"]
    assert (await client.ended(session, run))["status"] == "completed"
    log = await client.log(session)
    last = [event["messageId"] for event in log if event["type"] == "TEXT_MESSAGE_START"][-1]
    return text_of(log, last)


def text_of(log: list[dict[str, Any]], message_id: str) -> str:
    """Return what the deltas of a message say."""
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA" and event["messageId"] == message_id)


def story(log: list[dict[str, Any]]) -> list[str]:
    """Return the types of a log's events: deltas once, nested ones behind a `>` for each turn they are inside of."""
    lines: list[str] = []
    for event in log:
        depth = event.get("metadata", {}).get("depth", 0)
        words = ["> " * depth + event["type"]]
        words += ["resumed"] if event.get("isResume") else []
        words += ["interrupted"] if event.get("interrupted") else []
        line = " ".join(words)
        if event["type"] != "TEXT_DELTA" or lines[-1:] != [line]:
            lines.append(line)
    return lines


def counted(log: list[dict[str, Any]]) -> Counter[str]:
    """Count the events of each type."""
    return Counter(event["type"] for event in log)
