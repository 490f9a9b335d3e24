"""A run that asks, and a client that answers it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.feed import Feed, completed

_ID_MEMBERS = {"PERMISSION_REQUEST": "permissionId", "CONTINUATION_REQUEST": "continuationId"}


class Conversation:
    """A run as one reader sees it from its input on; `events` are those that the reader has seen."""

    def __init__(self, client: Client, session: str, branch: str, accepted: dict[str, Any], feed: Feed) -> None:
        self.client = client
        self.session = session
        self.branch = branch
        self.run_id: str = accepted["runtimeRunId"]
        self.position: str = accepted["position"]
        self.events: list[dict[str, Any]] = []
        self._feed = feed

    @property
    def path(self) -> str:
        """The branch's path."""
        return self.client.path(self.session, self.branch)

    @property
    def has_ended(self) -> bool:
        """Whether the reader has seen the run's last event."""
        return bool(self.events) and completed(self.events[-1])

    @property
    def last_text(self) -> str:
        """The last message that was said, whole."""
        ended = next(event for event in reversed(self.events) if event["type"] == "TEXT_MESSAGE_END")
        deltas = of_type(self.events, "TEXT_DELTA")
        return "".join(delta["text"] for delta in deltas if delta["messageId"] == ended["messageId"])

    async def until(self, wire_type: str, *, seconds: float = 30) -> dict[str, Any]:
        """Read on until an event of this type, and return it."""
        frames = await self._feed.until(lambda event: event["type"] == wire_type or completed(event), seconds=seconds)
        self.events += [frame.json for frame in frames]
        last = self.events[-1]
        assert last["type"] == wire_type, f"the run ended without {wire_type}: {last}"
        return last

    async def asked(self, *, seconds: float = 30) -> dict[str, Any]:
        """Read on until the run asks, and return the request."""
        frames = await self._feed.until(lambda event: is_request(event) or completed(event), seconds=seconds)
        self.events += [frame.json for frame in frames]
        last = self.events[-1]
        assert is_request(last), f"the run ended and did not ask: {last}"
        return last

    async def end(self, *, seconds: float = 30) -> list[str]:
        """Read on until the run has ended, and return its events' types; the log must hold exactly what was seen."""
        if not self.has_ended:
            await self.until("BRANCH_RUN_COMPLETED", seconds=seconds)
        assert self.events == await self.log()
        return order(self.events)

    async def log(self) -> list[dict[str, Any]]:
        """Return what the branch's log holds since the input."""
        query = f"?after={self.position}&limit=10000"
        response = await self.client.http.get(f"/sessions/{self.session}/branches/{self.branch}/events{query}")
        assert response.status_code == 200, response.text
        events: list[dict[str, Any]] = response.json()
        return events

    async def open(self) -> list[dict[str, Any]]:
        """Return the branch's open questions."""
        return await open_questions(self.client, self.session, self.branch)

    async def respond(self, body: bytes | dict[str, Any]) -> httpx.Response:
        """Post an answer's envelope."""
        return await post_answer(self.client, self.session, body, self.branch)

    async def answer(self, request: dict[str, Any], **members: Any) -> httpx.Response:
        """Answer a question."""
        return await self.respond(answer_to(request, **members))

    async def accepted(self, request: dict[str, Any], **members: Any) -> dict[str, Any]:
        """Answer a question, which must be accepted, and return what was said to it."""
        response = await self.answer(request, **members)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def interrupt(self) -> None:
        """End the run."""
        response = await self.client.http.post(f"{self.path}/interrupt")
        assert response.status_code == 202, response.text


@asynccontextmanager
async def conversation(
    client: Client, text: str, session: str | None = None, branch: str = "main", **config: Any
) -> AsyncIterator[Conversation]:
    """Submit a text, in a new session unless one is given, and watch its run.

    One that goes on at the end of the block is interrupted.
    """
    session = session or await client.session()
    body = {"text": text, "runConfig": config}
    response = await client.http.post(f"{client.path(session, branch)}/inputs", json=body)
    assert response.status_code == 202, response.text
    accepted = response.json()
    async with client.feed(session, branch, after=accepted["position"]) as feed:
        talk = Conversation(client, session, branch, accepted, feed)
        yield talk
        if not talk.has_ended:
            # It may end by itself at this very moment.
            await client.http.post(f"{talk.path}/interrupt")
            await talk.until("BRANCH_RUN_COMPLETED")


def is_request(event: dict[str, Any]) -> bool:
    """Say whether an event is a question."""
    return str(event["type"]).endswith("_REQUEST")


def id_of(request: dict[str, Any]) -> str:
    """Return the id of a question."""
    return str(request[_ID_MEMBERS.get(request["type"], "requestId")])


def answer_to(request: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return the envelope of an answer to a question."""
    wire_type = request["type"].removesuffix("_REQUEST") + "_RESPONSE"
    member = _ID_MEMBERS.get(request["type"], "requestId")
    return {"type": wire_type, member: request[member], "sourceName": request["sourceName"], **members}


async def post_answer(
    client: Client, session: str, body: bytes | dict[str, Any], branch: str = "main"
) -> httpx.Response:
    """Post an answer's envelope, or bytes that are none."""
    path = f"{client.path(session, branch)}/responses"
    if isinstance(body, bytes):
        return await client.http.post(path, content=body, headers={"content-type": "application/json"})
    return await client.http.post(path, json=body)


async def open_questions(client: Client, session: str, branch: str = "main") -> list[dict[str, Any]]:
    """Return a branch's open questions; both routes must say the same."""
    path = f"/sessions/{session}/branches/{branch}/interactions"
    by_session = before = None
    # A question that comes, or is settled, between two of these requests is in one and not in the other.
    while before is None or by_session is None or before.text != by_session.text:
        before = await client.http.get(path)
        by_agent = await client.http.get(f"{client.path(session, branch)}/interactions")
        by_session = await client.http.get(path)
    assert by_session.status_code == by_agent.status_code == 200, (by_session.text, by_agent.text)
    assert by_session.text == by_agent.text
    listed: list[dict[str, Any]] = by_session.json()
    return listed


def order(events: list[dict[str, Any]]) -> list[str]:
    """Return the types of events in their order, all deltas in a row as one."""
    return [
        name
        for name, same in groupby(event["type"] for event in events)
        for _ in (range(1) if name == "TEXT_DELTA" else same)
    ]


def of_type(events: list[dict[str, Any]], wire_type: str) -> list[dict[str, Any]]:
    """Return the events of one type."""
    return [event for event in events if event["type"] == wire_type]


def only(events: list[dict[str, Any]], wire_type: str) -> dict[str, Any]:
    """Return the event of a type that is there once."""
    found = of_type(events, wire_type)
    assert len(found) == 1, (wire_type, order(events))
    return found[0]
