"""What a run asks is listed, seen by whoever comes later, answered, and in the log where the contract says."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from events.position import Position
from tests.harness.client import Client
from tests.harness.conversation import Conversation, conversation, id_of, open_questions
from tests.harness.feed import Feed, Frame
from tests.harness.process import ServerProcess
from tests.interactions.kinds import CLARIFICATION, PERMISSION, Kind, each_kind

ENVELOPE = {"version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"}
LISTED = {"requestId", "type", "expectedResponseType", "runtimeRunId", "agentId", "requestedAt", "position", "request"}
WITHIN_SECONDS = 5


@each_kind
async def test_a_run_that_asks_has_its_events_in_order(server: ServerProcess, kind: Kind) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        await talk.accepted(await talk.asked(), **kind.answer)

        seen = await talk.end()

    assert [*kind.before, kind.request, *kind.after] == seen


@each_kind
async def test_a_question_is_in_the_log_and_answered_as_itself(server: ServerProcess, kind: Kind) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        request = await talk.asked()
        await talk.accepted(request, **kind.answer)
        response = await talk.until(kind.response)
        await talk.end()

    flow = next(event for event in talk.events if event["type"] == "MESSAGE_TURN_STARTED")["messageTurnId"]
    asked = {name: value for name, value in request.items() if name not in ENVELOPE}
    id_member = next(name for name in ("permissionId", "continuationId", "requestId") if name in asked)
    assert asked.pop(id_member) == id_of(request)
    assert asked.pop("channel") == "interactive"
    assert asked.pop("eventFlowId") == flow
    asked.pop("expiresAt", None)
    asked.pop("callId", None)
    assert asked == kind.members
    answered = {name: value for name, value in response.items() if name not in ENVELOPE}
    expected = {id_member: id_of(request), "sourceName": kind.members["sourceName"], **kind.answer}
    assert expected | {"channel": "interactive", "direction": "upstream"} == {
        name: answered[name] for name in (*expected, "channel", "direction")
    }


@each_kind
async def test_an_open_question_is_listed_with_its_line_of_the_log(server: ServerProcess, kind: Kind) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        request = await talk.asked()

        listed = await client.http.get(f"/sessions/{talk.session}/branches/main/interactions")
        line = (await client.log_lines(talk.session))[-1]
        (question,) = listed.json()
        await talk.accepted(request, **kind.answer)
        afterwards = await talk.open()
        await talk.end()

    assert line in listed.text
    assert question["request"] == request
    assert set(question) == LISTED | ({"expiresAt"} & set(request))
    assert question["requestId"] == id_of(request)
    assert question["type"] == kind.request
    assert question["expectedResponseType"] == kind.response
    assert question["runtimeRunId"] == talk.run_id
    assert question["agentId"] == kind.agent
    assert question["position"] == request["eventId"]
    assert question.get("expiresAt") == request.get("expiresAt")
    assert _seconds_between(question["requestedAt"], request["timestamp"]) < WITHIN_SECONDS
    assert afterwards == []


@each_kind
async def test_a_reader_that_comes_later_begins_just_before_the_open_question(
    server: ServerProcess, kind: Kind
) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        request = await talk.asked()

        async with client.feed(talk.session) as late:
            opening, first = await _opening(late), await late.event()
            await talk.accepted(request, **kind.answer)
            seen = await late.until(lambda event: event["type"] == "BRANCH_RUN_COMPLETED")
            await talk.end()

    assert opening.id == _before(request["eventId"])
    assert opening.data is None
    assert first is not None
    assert (first.id, first.json) == (request["eventId"], request)
    behind = talk.events.index(request) + 1
    assert [frame.json for frame in seen] == talk.events[behind:]


@each_kind
async def test_what_an_answer_says_reaches_the_agent(server: ServerProcess, kind: Kind) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        await talk.accepted(await talk.asked(), **kind.answer)
        await talk.end()

    assert (
        talk.last_text
        == {
            "PERMISSION_REQUEST": "delete_file: secret.txt was deleted.",
            "CONTINUATION_REQUEST": "This is iteration 4 of 4.",
            "CLARIFICATION_REQUEST": "So you like violet.",
            "CLIENT_TOOL_INVOKE_REQUEST": "show: shown",
            "PAYMENT_REQUEST": "I was paid 7 of 12.",
        }[kind.request]
    )


@each_kind
async def test_following_from_the_position_of_an_accepted_answer_shows_it_first(
    server: ServerProcess, kind: Kind
) -> None:
    async with Client(server.url, kind.agent) as client, _asking(client, kind) as talk:
        request = await talk.asked()

        accepted = await talk.accepted(request, **kind.answer)
        async with client.feed(talk.session, after=accepted["position"]) as feed:
            first = await feed.event()
        await talk.end()

    assert {"requestId": id_of(request), "outcome": "accepted", "position": request["eventId"]} == accepted
    assert first is not None
    assert first.json["type"] == kind.response


async def test_a_reader_that_comes_when_nothing_is_asked_begins_at_the_head(server: ServerProcess) -> None:
    async with Client(server.url) as client, _asking(client, PERMISSION) as talk:
        await talk.accepted(await talk.asked(), approved=False)
        await talk.end()

        async with client.feed(talk.session) as late:
            opening = await _opening(late)

    assert opening.id == talk.events[-1]["eventId"]


async def test_a_reader_that_has_a_position_goes_on_from_there_whatever_is_asked(server: ServerProcess) -> None:
    async with Client(server.url) as client, _asking(client, CLARIFICATION) as talk:
        request = await talk.asked()

        async with client.feed(talk.session, after=request["eventId"]) as from_behind:
            opening_behind = await _opening(from_behind)
        async with client.feed(talk.session, last_event_id=talk.position) as from_before:
            opening_before = await _opening(from_before)
        await talk.accepted(request, answer="blue")
        await talk.end()

    assert opening_behind.id == request["eventId"]
    assert opening_before.id == talk.position


async def test_a_question_can_be_answered_by_who_has_never_followed_the_branch(server: ServerProcess) -> None:
    async with Client(server.url) as client, _asking(client, CLARIFICATION) as talk:
        await talk.asked()

        async with Client(server.url) as stranger:
            (question,) = await open_questions(stranger, talk.session)
            answer = {"type": question["expectedResponseType"], "requestId": question["requestId"], "answer": "red"}
            response = await talk.respond(answer)
        await talk.end()

    assert response.status_code == 200
    assert talk.last_text == "So you like red."


async def test_an_answer_wakes_the_run_itself_and_not_whoever_looks_now_and_then(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, sweep_seconds=3600, lease_seconds=60).start()
    async with Client(server.url) as client, conversation(client, "/parallel") as talk:
        for _ in range(3):
            await talk.accepted(await talk.asked(), approved=True)

        await talk.end(seconds=10)

    assert talk.events[-1]["status"] == "completed"


async def test_a_branch_on_which_nothing_was_ever_asked_lists_nothing(server: ServerProcess) -> None:
    async with Client(server.url) as client:
        listed = await open_questions(client, await client.session())

    assert listed == []


async def test_questions_of_one_branch_are_not_those_of_another(server: ServerProcess) -> None:
    async with Client(server.url) as client, _asking(client, CLARIFICATION) as talk:
        request = await talk.asked()
        await client.branch(talk.session, "aside")

        here, aside = await talk.open(), await open_questions(client, talk.session, "aside")
        await talk.accepted(request, answer="red")
        await talk.end()

    assert [question["requestId"] for question in here] == [id_of(request)]
    assert aside == []


def _asking(client: Client, kind: Kind) -> AbstractAsyncContextManager[Conversation]:
    return conversation(client, kind.text, **kind.config)


async def _opening(feed: Feed) -> Frame:
    frame = await feed.frame()
    assert frame is not None
    assert frame.retry == "2000"
    return frame


def _before(position: str) -> str:
    place = Position.parse(position)
    assert place is not None
    return str(Position(place.epoch, place.seq - 1))


def _seconds_between(first: str, second: str) -> float:
    return abs((datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds())
