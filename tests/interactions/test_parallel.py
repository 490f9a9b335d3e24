"""Three calls at once: all are asked for before any is answered, and each answer is of its own call alone."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.conversation import Conversation, answer_to, conversation, id_of, of_type, order, post_answer
from tests.harness.process import ServerProcess
from tests.interactions.orders import ALLOWED, CALL, CLOSING, DENIED, DONE, OPENING, SAID, SPEAKING

TOOLS = ["read_file", "write_file", "delete_file"]
BEFORE = [*OPENING, *SPEAKING, *CALL, *CALL, *CALL]
ASKED = ["PERMISSION_REQUEST"] * 3
AFTER = ["AGENT_TURN_FINISHED", *SAID, *CLOSING]
RESULTS = {
    "read_file": "read_file.txt has 3 lines.",
    "write_file": "write_file.txt was written.",
    "delete_file": "delete_file.txt was deleted.",
}
DENIAL = "The user denied this call."

in_every_order = pytest.mark.parametrize(
    "turns", list(permutations(range(3))), ids=lambda turns: "".join(str(turn + 1) for turn in turns)
)


async def test_three_calls_are_asked_for_at_once_in_the_order_of_the_calls(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        questions = await talk.open()
        seen = order(talk.events)

    starts = of_type(talk.events, "TOOL_CALL_START")
    assert [*BEFORE, *ASKED] == seen
    assert [request["functionName"] for request in requests] == TOOLS
    assert [request["arguments"] for request in requests] == [{"path": f"{name}.txt"} for name in TOOLS]
    assert [request["callId"] for request in requests] == [start["callId"] for start in starts]
    assert [question["request"] for question in questions] == requests


async def test_a_client_that_answers_at_once_does_not_come_between_the_questions(client: Client) -> None:
    for _ in range(10):
        async with conversation(client, "/parallel") as talk:
            answering = [asyncio.create_task(talk.accepted(await talk.asked(), approved=True)) for _ in range(3)]
            await asyncio.gather(*answering)
            seen = await talk.end()

        assert [*BEFORE, *ASKED] == seen[: len(BEFORE) + 3]


@in_every_order
async def test_the_calls_are_made_in_the_order_of_the_answers(client: Client, turns: tuple[int, ...]) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        for answered, turn in enumerate(turns, 1):
            await talk.accepted(requests[turn], approved=True)
            await talk.until("TOOL_CALL_END")
            still_open = [question["requestId"] for question in await talk.open()]
            assert still_open == [id_of(requests[left]) for left in sorted(turns[answered:])]
        seen = await talk.end()

    ended = of_type(talk.events, "TOOL_CALL_RESULT")
    assert [*BEFORE, *ASKED, *([*ALLOWED, *DONE] * 3), *AFTER] == seen
    assert [event["name"] for event in ended] == [TOOLS[turn] for turn in turns]
    assert {event["name"]: event["result"]["text"] for event in ended} == RESULTS
    _assert_each_for_its_own(talk, requests)


@in_every_order
async def test_the_agent_has_the_results_in_the_order_of_the_calls(client: Client, turns: tuple[int, ...]) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        for turn in turns:
            await talk.accepted(requests[turn], approved=True)
        await talk.end()

    assert talk.last_text == " ".join(f"{name}: {RESULTS[name]}" for name in TOOLS)


@in_every_order
@pytest.mark.parametrize("denied", range(3), ids=TOOLS)
async def test_one_that_is_denied_leaves_the_other_two(client: Client, denied: int, turns: tuple[int, ...]) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        for turn in turns:
            await talk.accepted(requests[turn], approved=turn != denied)
            await talk.until("TOOL_CALL_END")
        seen = await talk.end()

    answers = [piece for turn in turns for piece in (*(DENIED if turn == denied else ALLOWED), *DONE)]
    results = {event["name"]: event["result"] for event in of_type(talk.events, "TOOL_CALL_RESULT")}
    assert [*BEFORE, *ASKED, *answers, *AFTER] == seen
    assert {name: result["text"] for name, result in results.items()} == {**RESULTS, TOOLS[denied]: DENIAL}
    assert [name for name in TOOLS if "resultType" in results[name]] == [TOOLS[denied]]
    assert talk.events[-1]["status"] == "completed"
    _assert_each_for_its_own(talk, requests)


async def test_all_three_can_be_denied(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        for request in requests:
            await talk.accepted(request, approved=False, reason=f"not {request['functionName']}")
        await talk.end()

    assert talk.last_text == " ".join(f"{name}: not {name}" for name in TOOLS)
    assert talk.events[-1]["status"] == "completed"


async def test_all_three_can_be_answered_at_the_same_moment(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await asyncio.gather(*(talk.accepted(request, approved=True) for request in requests))
        seen = await talk.end()

    assert [*BEFORE, *ASKED] == seen[: len(BEFORE) + 3]
    assert seen[-len(AFTER) :] == AFTER
    _assert_each_for_its_own(talk, requests)


@pytest.mark.parametrize("asked", range(3), ids=TOOLS)
@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "denied"])
async def test_only_what_is_not_remembered_is_asked(client: Client, asked: int, allowed: bool) -> None:
    decision = "PERMISSION_APPROVED" if allowed else "PERMISSION_DENIED"
    always = {"approved": allowed, "choice": "allow_always" if allowed else "deny_always"}
    async with conversation(client, "/parallel") as talk:
        for number in range(3):
            await talk.accepted(await talk.asked(), **({"approved": True} if number == asked else always))
        await talk.end()
    async with conversation(client, "/parallel", talk.session) as again:
        request = await again.asked()
        questions = await again.open()
        await again.accepted(request, approved=True)
        await again.end()

    remembered = [event for event in of_type(again.events, decision) if event.get("reason") == "remembered"]
    assert request["functionName"] == TOOLS[asked]
    assert [question["requestId"] for question in questions] == [id_of(request)]
    assert [event["functionName"] for event in remembered] == [name for name in TOOLS if name != TOOLS[asked]]
    assert len({event["permissionId"] for event in remembered} | {id_of(request)}) == 3
    results = {event["name"]: event["result"]["text"] for event in of_type(again.events, "TOOL_CALL_RESULT")}
    assert results[TOOLS[asked]] == RESULTS[TOOLS[asked]]
    for event in remembered:
        told = RESULTS[event["functionName"]] if allowed else "The user has denied all calls of this tool."
        assert results[event["functionName"]] == told


async def test_what_was_remembered_is_told_before_the_question_is_asked_or_answered(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        for choice in ("allow_always", "allow_always", "ask"):
            await talk.accepted(await talk.asked(), approved=True, choice=choice)
        await talk.end()
    async with conversation(client, "/parallel", talk.session) as again:
        request = await again.asked()
        await again.until("TOOL_CALL_END")
        await again.until("TOOL_CALL_END")
        await again.accepted(request, approved=True)
        seen = await again.end()

    told = ["PERMISSION_APPROVED", "PERMISSION_APPROVED", "PERMISSION_REQUEST"]
    made = [event["name"] for event in of_type(again.events, "TOOL_CALL_RESULT")]
    assert [*BEFORE, *told] == seen[: len(BEFORE) + 3]
    assert [*ALLOWED, *DONE, *AFTER] == seen[-len([*ALLOWED, *DONE, *AFTER]) :]
    assert sorted(made[:2]) == ["read_file", "write_file"]
    assert made[2] == "delete_file"


async def test_a_choice_for_one_of_them_leaves_the_questions_about_the_others_open(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[0], approved=False, choice="deny_always")
        await talk.until("TOOL_CALL_END")

        questions = await talk.open()

    assert [question["requestId"] for question in questions] == [id_of(request) for request in requests[1:]]


async def test_two_calls_of_one_tool_are_two_questions_even_when_the_first_is_allowed_always(
    server: ServerProcess,
) -> None:
    async with Client(server.url, "caller") as client, conversation(client, "gated-ask gated-ask") as talk:
        first, second = await talk.asked(), await talk.asked()
        await talk.accepted(first, approved=True, choice="allow_always")
        await talk.accepted(await talk.asked(), answer="red")
        await talk.until("TOOL_CALL_END")

        questions = await talk.open()
        await talk.accepted(second, approved=False)
        await talk.end()

    assert [question["requestId"] for question in questions] == [id_of(second)]
    assert talk.last_text == f"gated-ask: red; gated-ask: {DENIAL}"


async def test_a_reader_that_comes_later_begins_just_before_the_oldest_that_is_still_open(client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[0], approved=True)
        await talk.until("TOOL_CALL_END")
        seen_before = list(talk.events)

        async with client.feed(talk.session) as late:
            frames = await late.until(lambda event: event["type"] == "TOOL_CALL_END")

    assert [frame.json for frame in frames] == seen_before[seen_before.index(requests[1]) :]


async def test_answers_of_two_sessions_do_not_get_mixed_up(client: Client) -> None:
    async with conversation(client, "/parallel") as one, conversation(client, "/parallel") as other:
        of_one = [await one.asked() for _ in range(3)]
        of_other = [await other.asked() for _ in range(3)]
        answers = [(one.session, request, True) for request in of_one]
        answers += [(other.session, request, False) for request in of_other]
        responses = await asyncio.gather(
            *(post_answer(client, session, answer_to(request, approved=yes)) for session, request, yes in answers)
        )
        await one.end()
        await other.end()

    assert [response.status_code for response in responses] == [200] * 6
    assert one.last_text == " ".join(f"{name}: {RESULTS[name]}" for name in TOOLS)
    assert other.last_text == " ".join(f"{name}: {DENIAL}" for name in TOOLS)


def _assert_each_for_its_own(talk: Conversation, requests: list[dict[str, Any]]) -> None:
    """Each call has its own events in order: asked, answered, decided, told, ended."""
    for request in requests:
        mine = [event["type"] for event in talk.events if _is_about(event, request)]
        decision = "PERMISSION_DENIED" if "PERMISSION_DENIED" in mine else "PERMISSION_APPROVED"
        assert [*CALL, "PERMISSION_REQUEST", "PERMISSION_RESPONSE", decision, *DONE] == mine


def _is_about(event: dict[str, Any], request: dict[str, Any]) -> bool:
    return event.get("callId") == request["callId"] or event.get("permissionId") == id_of(request)
