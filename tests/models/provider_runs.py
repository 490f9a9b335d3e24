"""Runs of agents whose providers fail: how a test has one, and what must be true of every one of them."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hosting.domain.duration import read_duration
from tests.harness.client import Client

Log = list[dict[str, Any]]

ENDLESS = "on "
"""What only a provider says that never ends."""


async def run_to_end(client: Client, session: str, text: str, within: timedelta | None = None) -> dict[str, Any]:
    """Send a text, and return its run once it has ended."""
    body: dict[str, Any] = {"text": text}
    if within is not None:
        body["runConfig"] = {"runTimeout": f"PT{within.total_seconds():g}S"}
    response = await client.http.post(f"{client.path(session)}/inputs", json=body)
    assert response.status_code == 202, response.text
    accepted = response.json()
    # Not asked again and again: so many runs at once would be slowed by that.
    async with client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED", seconds=40)
    return await client.run(session, accepted["runtimeRunId"])


def took(run: dict[str, Any]) -> timedelta:
    """Return how long a run took."""
    return datetime.fromisoformat(run["completedAt"]) - datetime.fromisoformat(run["startedAt"])


def duration_of(text: str) -> timedelta:
    """Return a duration that an event tells."""
    duration = read_duration(text)
    assert duration is not None
    return duration


def check_texts(log: Log) -> None:
    """Make sure that no message says something twice, and none what two tries have said."""
    said: dict[str, list[str]] = {}
    for event in log:
        if event["type"] == "TEXT_DELTA":
            said.setdefault(event["messageId"], []).append(event["text"])
    for pieces in said.values():
        if set(pieces) != {ENDLESS}:
            assert Counter(pieces).most_common(1)[0][1] == 1, pieces
            assert len({piece.partition(".")[0] for piece in pieces}) == 1, pieces
    retried = [number for number, event in enumerate(log) if event["type"] == "MODEL_CALL_RETRY"]
    for number in retried:
        begun = [event["messageId"] for event in log[:number] if event["type"] == "TEXT_MESSAGE_START"]
        ended = {e["messageId"]: e.get("interrupted") for e in log[:number] if e["type"] == "TEXT_MESSAGE_END"}
        assert [ended.get(message) for message in begun] == [True] * len(begun)
        assert all(event.get("messageId") not in begun for event in log[number:])


def discarded(log: Log) -> list[str]:
    """Return the texts of a run that were said anew."""
    retried = [number for number, event in enumerate(log) if event["type"] == "MODEL_CALL_RETRY"]
    last = retried[-1] if retried else 0
    return [event["text"] for event in log[:last] if event["type"] == "TEXT_DELTA"]
