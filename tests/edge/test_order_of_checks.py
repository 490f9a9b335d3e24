"""Agent, session, branch; then the body; then the state."""

import pytest

from tests.edge.problem import problem
from tests.harness.client import Client

BAD = b'{"text":'


async def test_an_input_is_checked_from_the_outside_in(edge: Client) -> None:
    session = await edge.session()
    await edge.accepted(session, "/tokens 1000 20")
    here = f"sessions/{session}/branches"
    steps = [
        ("/agents/nobody/sessions/none/branches/none/inputs", BAD, "agent-not-found"),
        ("/agents/demo/sessions/none/branches/none/inputs", BAD, "session-not-found"),
        (f"/agents/demo/{here}/none/inputs", BAD, "branch-not-found"),
        (f"/agents/demo/{here}/main/inputs", BAD, "invalid-input"),
        (f"/agents/demo/{here}/main/inputs", b'{"text":""}', "invalid-input"),
        (f"/agents/demo/{here}/main/inputs", b'{"text":"a","runConfig":{"apiKey":"a"}}', "run-config-refused"),
        (f"/agents/demo/{here}/main/inputs", b'{"text":"a"}', "branch-run-active"),
    ]

    codes = [problem(await edge.http.post(path, content=body))["code"] for path, body, _ in steps]

    assert codes == [code for _, _, code in steps]


async def test_a_branch_is_checked_from_the_outside_in(edge: Client) -> None:
    session = await edge.session()
    steps = [
        ("/agents/nobody/sessions/none/branches", b"[]", "agent-not-found"),
        ("/agents/demo/sessions/none/branches", b"[]", "session-not-found"),
        (f"/agents/demo/sessions/{session}/branches", b"[]", "invalid-request"),
        (f"/agents/demo/sessions/{session}/branches", b'{"branchId":"main"}', "branch-exists"),
    ]

    codes = [problem(await edge.http.post(path, content=body))["code"] for path, body, _ in steps]

    assert codes == [code for _, _, code in steps]


async def test_what_exists_is_not_created_again(edge: Client) -> None:
    session = await edge.session("s1")
    messages = [{"messageId": "m1", "text": "a"}]
    await edge.http.post(f"{edge.path(session)}/inputs", json={"type": "USER_MESSAGES_INPUT", "messages": messages})
    branch = await edge.branch(session, "b1")
    first = await edge.http.post(
        f"{edge.path(session, branch)}/inputs", json={"type": "user_messages_input", "messages": messages}
    )
    async with edge.feed(session, branch, after=first.json()["position"]) as feed:
        await feed.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")

    again = await edge.http.post("/sessions", json={"sessionId": "s1"})
    repeated = await edge.http.post(
        f"{edge.path(session, branch)}/inputs", json={"type": "USER_MESSAGES_INPUT", "messages": messages}
    )

    assert problem(again)["code"] == "session-exists"
    assert problem(repeated)["code"] == "message-exists"


@pytest.mark.parametrize("shape", [{"text": "a"}, {"content": "a"}, {"contents": [{"$type": "text", "text": "a"}]}])
async def test_each_shape_of_a_message_is_taken(plain_edge: Client, shape: dict[str, object]) -> None:
    session = await plain_edge.session()

    response = await plain_edge.http.post(
        f"{plain_edge.path(session)}/inputs",
        json={"type": "USER_MESSAGES_INPUT", "messages": [{"role": "user", **shape}], "unknown": {"is": "ignored"}},
    )

    assert response.status_code == 202
    started = next(event for event in await plain_edge.log(session) if event["type"] == "CONTENT_ADDED")
    assert started["content"]["text"] == "a"


async def test_the_last_of_repeated_members_wins_and_the_ids_of_the_route_win(plain_edge: Client) -> None:
    session = await plain_edge.session()
    body = (
        b'{"text":"first","text":"last","sessionId":"other","branchId":"other","agentId":"other","clientInputId":"c"}'
    )

    response = await plain_edge.http.post(f"{plain_edge.path(session)}/inputs", content=body)

    assert response.status_code == 202
    added = next(event for event in await plain_edge.log(session) if event["type"] == "CONTENT_ADDED")
    assert (added["content"]["text"], added["sessionId"], added["branchId"]) == ("last", session, "main")
