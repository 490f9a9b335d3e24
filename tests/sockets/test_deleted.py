"""A socket whose branch is deleted is closed with 1007, whatever it was doing."""

import asyncio

from tests.harness.client import Client
from tests.runs.written import named
from tests.sockets.talk import Talk

GONE = (1007, "Session or branch not found")


async def test_sockets_of_a_deleted_branch_close_with_1007_whether_they_follow_yet_or_not(client: Client) -> None:
    session = await client.session()
    await client.branch(session, "other")
    position = await client.position(session, "other")
    async with Talk(client, session, "other") as silent, Talk(client, session, "other", after=position) as following:
        response = await client.http.delete(f"/sessions/{session}/branches/other")

        endings = await asyncio.gather(silent.ending(), following.ending())

    assert response.status_code == 204
    assert endings == [GONE, GONE]
    for talk in (silent, following):
        assert named(talk.lines) == [
            '{"version":"1.0","type":"STREAM_CLOSING","timestamp":"TIME","sessionId":"ses_1","branchId":"other",'
            '"channel":"control","kind":"control","reason":"deleted"}'
        ]


async def test_a_socket_in_the_middle_of_a_run_sees_its_end_and_then_that_the_session_is_deleted(
    client: Client,
) -> None:
    session = await client.session()
    async with Talk(client, session) as talk:
        await talk.say("/tokens 100000 5")
        await talk.until(lambda event: event.get("text") == "tok20 ")

        await client.http.delete(f"/sessions/{session}?force=true")

        ending = await talk.ending()

    assert ending == GONE
    assert [event["type"] for event in talk.events][-2:] == ["BRANCH_RUN_COMPLETED", "STREAM_CLOSING"]
    assert talk.events[-1]["reason"] == "deleted"
