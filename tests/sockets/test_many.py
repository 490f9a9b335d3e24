"""Several sockets on one branch: each sees everything once and in order, and none has a hold on the run."""

import asyncio

from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request, of_type
from tests.harness.feed import completed
from tests.sockets.raw import TEXT, RawSocket, frame
from tests.sockets.talk import Talk

READERS = 20
RUNS = 10


async def test_many_sockets_see_the_same_bytes_as_a_live_feed_beside_them(client: Client) -> None:
    session = await client.session()
    beginning = f"{(await client.position(session)).partition('.')[0]}.0"
    talks = [Talk(client, session, after=beginning) for _ in range(READERS)]

    async with client.feed(session, after=beginning) as feed:
        await asyncio.gather(*(talk.__aenter__() for talk in talks))
        await talks[0].say("/tokens 2000")
        frames = await feed.until(completed)
        await asyncio.gather(*(talk.end() for talk in talks))
        await asyncio.gather(*(talk.connection.close() for talk in talks))

    lines = await client.log_lines(session)
    assert [frame.data for frame in frames] == lines
    for talk in talks:
        assert talk.lines == lines


async def test_two_clients_take_turns_and_a_third_one_listens(client: Client) -> None:
    session = await client.session()
    beginning = f"{(await client.position(session)).partition('.')[0]}.0"

    async with (
        Talk(client, session) as one,
        Talk(client, session) as other,
        Talk(client, session, after=beginning) as third,
    ):
        for number in range(RUNS):
            await (one, other)[number % 2].say(f"/tokens {number}")
            await third.end()
            if number:
                await asyncio.gather(one.end(), other.end())
            else:
                await one.end()

    lines = await client.log_lines(session)
    assert len(of_type(third.events, "BRANCH_RUN_COMPLETED")) == RUNS
    assert third.lines == lines
    assert one.lines == lines[1:]
    assert other.lines == lines[other.events[0]["sequenceNumber"] - 1 :]


async def test_what_one_socket_asks_another_answers(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as asking, Talk(client, session) as answering:
        await asking.say("/permission")
        request = await asking.until(is_request)
        await answering.send(answer_to(request, approved=True))
        ends = await asyncio.gather(asking.end(), answering.end())

    assert [end["status"] for end in ends] == ["completed"] * 2
    assert answering.lines == (await client.log_lines(session))[request["sequenceNumber"] - 1 :]


async def test_of_many_answers_at_once_one_is_taken_and_the_others_are_told(client: Client) -> None:
    session = await client.session()
    talks = [Talk(client, session) for _ in range(READERS)]
    accepted = await client.accepted(session, "/clarify")
    async with client.feed(session, after=accepted["position"]) as feed:
        request = (await feed.until(is_request))[-1].json

    await asyncio.gather(*(talk.__aenter__() for talk in talks))
    await asyncio.gather(*(talk.send(answer_to(request, answer=f"{at}")) for at, talk in enumerate(talks)))
    await client.ended(session, accepted["runtimeRunId"])
    (response,) = of_type(await client.log(session), "CLARIFICATION_RESPONSE")
    winner = talks.pop(int(response["answer"]))
    rejected = await asyncio.gather(*(talk.until("AGENT_RESPONSE_REJECTED") for talk in talks))
    await winner.end()
    await asyncio.gather(*(talk.connection.close() for talk in [winner, *talks]))

    assert {(event["requestId"], event["outcome"]) for event in rejected} == {
        (request["requestId"], "already-resolved")
    }
    assert of_type(winner.events, "AGENT_RESPONSE_REJECTED") == []


async def test_a_socket_that_closes_in_the_middle_of_a_run_does_not_touch_it(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as leaving, Talk(client, session) as cutting:
        await leaving.say("/tokens 200 5")
        first = await leaving.until("BRANCH_RUN_STARTED")
        await cutting.send({"type": "CLARIFICATION_RESPONSE", "requestId": "none", "answer": "none"})
        await cutting.until("TEXT_DELTA")
        cutting.cut()
    run = await client.ended(session, first["runtimeRunId"])

    assert run["status"] == "completed"
    assert len(of_type(await client.log(session), "TEXT_DELTA")) == 200


async def test_inputs_that_are_sent_all_at_once_are_carried_out_one_after_the_other(client: Client) -> None:
    session = await client.session()

    async with RawSocket(client.base, f"{client.path(session)}/ws") as raw:
        await raw.write(
            *[
                frame(TEXT, b'{"type":"USER_TEXT_INPUT","text":"number %d","runningRunBehavior":"queue"}' % number)
                for number in range(RUNS)
            ]
        )
        ends = 0
        while ends < RUNS:
            _, event = await raw.read()
            ends += b'"type":"BRANCH_RUN_COMPLETED"' in event

    said = [event["content"]["text"] for event in of_type(await client.log(session), "CONTENT_ADDED")]
    assert said == [f"number {number}" for number in range(RUNS)]
