"""Whoever let another agent work is told why that ended, in the result of the call."""

from tests.harness.client import Client
from tests.harness.conversation import conversation, only


async def test_a_subagent_that_was_interrupted_is_told_to_its_parent_with_the_reason(client: Client) -> None:
    async with conversation(client, "/subagent") as talk:
        asked = await talk.asked()
        wish = {"eventFlowId": asked["eventFlowId"], "reason": "not that one"}
        response = await client.http.post(f"{talk.path}/interrupt", json=wish)
        assert response.status_code == 202, response.text

        await talk.end()

    told = next(
        event["result"]
        for event in talk.events
        if event["type"] == "TOOL_CALL_RESULT" and event["name"] == "ask_subagent"
    )
    assert told == {"text": "Error: Interrupted: not that one", "resultType": "error"}
    assert only(talk.events, "BRANCH_RUN_COMPLETED")["status"] == "completed"
