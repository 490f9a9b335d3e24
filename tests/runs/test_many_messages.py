"""An input that brings thousands of messages."""

from typing import Any

from tests.harness.client import Client

MANY = 3000


def _input(ids: list[str]) -> dict[str, Any]:
    said = [{"messageId": each, "text": f"Message {each}"} for each in ids]
    return {"type": "USER_MESSAGES_INPUT", "messages": said}


async def test_an_input_brings_thousands_of_messages_in_their_order_or_none_of_them(client: Client) -> None:
    session = await client.session()
    ids = [f"m{number}" for number in range(MANY)]
    path = f"{client.path(session)}/inputs"

    accepted = await client.http.post(path, json=_input(ids))
    assert accepted.status_code == 202, accepted.text
    await client.ended(session, accepted.json()["runtimeRunId"])
    taken = await client.http.post(path, json=_input([*(f"n{number}" for number in range(MANY)), "m7"]))
    log = await client.log(session)
    branch = (await client.http.get(f"/sessions/{session}/branches/main")).json()

    assert [
        event["messageId"] for event in log if event["type"] == "MESSAGE_STARTED" and event["role"] == "user"
    ] == ids
    assert (taken.status_code, taken.json()["code"]) == (409, "message-exists")
    assert branch["messageCount"] == MANY + 1
