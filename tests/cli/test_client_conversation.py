"""What the client says in a conversation beside its inputs, to a real server."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from events.catalog import Catalog, NotAnEvent
from events.clarification import ClarificationRequest, ClarificationResponse
from events.event import Event
from events.ids import AgentId, RunId, SessionId
from events.inputs import RunningRunBehavior, UserTextInput
from events.interactions import ResponseOutcome
from events.interruption import InterruptionHandled
from events.permissions import PermissionChoice, PermissionRequest, PermissionResponse
from events.queue import BranchQueueUpdated
from events.runs import BranchRunCompleted, RunStatus
from events.turns import MessageTurnStarted
from hosting.client import Accepted, BranchAddress, Client, Problem, ResponseRefused
from tests.cli.curious_agents import ReviewVerdict, ReviewWanted
from tests.harness.process import ServerProcess

AT = BranchAddress(AgentId("demo"), SessionId("s1"))
CURIOUS = BranchAddress(AgentId("curious"), SessionId("s1"))


@pytest.fixture
async def talking(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of a running server, with a session `s1`."""
    async with Client(server.url) as client:
        await client.ensure_session(SessionId("s1"))
        yield client


async def say(client: Client, text: str, *, behavior: RunningRunBehavior = RunningRunBehavior.REJECT) -> Accepted:
    """Submit a text."""
    return await client.submit(AT, UserTextInput(text=text, running_run_behavior=behavior))


async def until(client: Client, accepted: Accepted, wanted: type[Event], *, at: BranchAddress = AT) -> Event:
    """Return the first event of a class in a run."""
    async with aclosing(client.follow_run(at, accepted)) as events:
        async for received in events:
            if isinstance(received.event, wanted):
                return received.event
    raise AssertionError(f"the run had no {wanted.__name__}")


async def test_an_open_question_is_listed_and_answered(talking: Client) -> None:
    accepted = await say(talking, "/permission")
    asked = await until(talking, accepted, PermissionRequest)

    (listed,) = await talking.interactions(AT)
    assert isinstance(asked, PermissionRequest)
    responded = await talking.respond(
        AT, PermissionResponse(permission_id=listed.request_id, approved=True, choice=PermissionChoice.ALLOW_ALWAYS)
    )
    ended = await until(talking, accepted, BranchRunCompleted)

    assert listed.request.event == asked
    assert (listed.request_id, listed.type, listed.expected_response_type, listed.runtime_run_id) == (
        asked.permission_id,
        "PERMISSION_REQUEST",
        "PERMISSION_RESPONSE",
        accepted.runtime_run_id,
    )
    assert (listed.request.position, listed.expires_at) == (asked.event_id, asked.expires_at)
    assert (responded.request_id, responded.outcome) == (asked.permission_id, ResponseOutcome.ACCEPTED)
    assert isinstance(ended, BranchRunCompleted)
    assert ended.status is RunStatus.COMPLETED
    assert await talking.interactions(AT) == []


async def test_an_answer_that_counts_for_nothing_says_why(talking: Client) -> None:
    accepted = await say(talking, "/clarify")
    asked = await until(talking, accepted, ClarificationRequest)
    assert isinstance(asked, ClarificationRequest)
    wrong = PermissionResponse(permission_id=asked.request_id, approved=True)
    unknown = ClarificationResponse(request_id="req_unknown", answer="red")
    right = ClarificationResponse(request_id=asked.request_id, answer="red")

    outcomes: list[tuple[int, str, str]] = []
    for response in (wrong, unknown):
        with pytest.raises(ResponseRefused) as refused:
            await talking.respond(AT, response)
        outcomes.append((refused.value.status, refused.value.code, refused.value.outcome))
    await talking.respond(AT, right)
    await until(talking, accepted, BranchRunCompleted)
    with pytest.raises(ResponseRefused) as late:
        await talking.respond(AT, right)

    assert outcomes == [
        (409, "response-not-awaited", ResponseOutcome.TYPE_MISMATCH),
        (409, "response-not-awaited", ResponseOutcome.NOT_FOUND),
    ]
    assert (late.value.code, late.value.outcome) == ("branch-runtime-not-active", ResponseOutcome.ALREADY_RESOLVED)


async def test_a_contradictory_answer_is_a_problem_of_its_own(talking: Client) -> None:
    accepted = await say(talking, "/permission")
    asked = await until(talking, accepted, PermissionRequest)
    assert isinstance(asked, PermissionRequest)
    contradictory = PermissionResponse(
        permission_id=asked.permission_id, approved=True, choice=PermissionChoice.DENY_ALWAYS
    )

    with pytest.raises(Problem) as refused:
        await talking.respond(AT, contradictory)

    assert (refused.value.status, refused.value.code) == (400, "invalid-response")
    assert not isinstance(refused.value, ResponseRefused)


async def test_a_custom_question_is_answered_when_the_catalog_knows_it(curious_server: ServerProcess) -> None:
    catalog = Catalog.standard()
    for cls in (ReviewWanted, ReviewVerdict):
        catalog.register(cls)
    async with Client(curious_server.url, catalog=catalog) as client:
        await client.ensure_session(SessionId("s1"))
        accepted = await client.submit(CURIOUS, UserTextInput(text="/review"))
        asked = await until(client, accepted, ReviewWanted, at=CURIOUS)
        assert isinstance(asked, ReviewWanted)

        await client.respond(CURIOUS, ReviewVerdict(request_id=asked.request_id, stars=5))
        ended = await until(client, accepted, BranchRunCompleted, at=CURIOUS)

    assert isinstance(ended, BranchRunCompleted)
    assert ended.status is RunStatus.COMPLETED


async def test_a_custom_answer_that_the_catalog_does_not_know_is_not_sent(talking: Client) -> None:
    with pytest.raises(NotAnEvent):
        await talking.respond(AT, ReviewVerdict(request_id="req_1", stars=5))


async def test_an_interrupt_ends_the_run_with_its_reason(talking: Client) -> None:
    accepted = await say(talking, "/permission")
    await until(talking, accepted, PermissionRequest)

    interrupting = await talking.interrupt(AT, "Enough.")
    ended = await until(talking, accepted, BranchRunCompleted)

    assert (interrupting.runtime_run_id, interrupting.status) == (accepted.runtime_run_id, RunStatus.ACTIVE)
    assert isinstance(ended, BranchRunCompleted)
    assert (ended.status, ended.cancelled, ended.reason) == (RunStatus.CANCELLED, True, "Enough.")


async def test_a_run_that_has_ended_is_rated_once(talking: Client) -> None:
    asked = await say(talking, "/permission")
    await until(talking, asked, PermissionRequest)

    with pytest.raises(Problem) as early:
        await talking.rate(AT, asked.runtime_run_id, 1)
    await talking.interrupt(AT)
    await until(talking, asked, BranchRunCompleted)
    await talking.rate(AT, asked.runtime_run_id, 0.5)
    await talking.rate(AT, asked.runtime_run_id, 0.5)
    with pytest.raises(Problem) as other:
        await talking.rate(AT, asked.runtime_run_id, 1)

    assert (early.value.code, other.value.code) == ("run-not-ended", "run-already-rated")


async def test_an_interrupt_with_the_flow_of_a_run_that_ended_spares_the_next_one(talking: Client) -> None:
    before = await say(talking, "hello")
    turn = await until(talking, before, MessageTurnStarted)
    await until(talking, before, BranchRunCompleted)
    after = await say(talking, "/permission")
    asked = await until(talking, after, PermissionRequest)
    assert isinstance(turn, MessageTurnStarted)
    assert isinstance(asked, PermissionRequest)

    with pytest.raises(Problem) as refused:
        await talking.interrupt(AT, event_flow_id=turn.message_turn_id)

    assert (refused.value.status, refused.value.code) == (409, "branch-run-not-active")
    await talking.interrupt(AT, event_flow_id=asked.event_flow_id)
    handled = await until(talking, after, InterruptionHandled)
    assert isinstance(handled, InterruptionHandled)
    assert handled.reason


async def test_inputs_that_wait_are_listed_and_can_be_taken_out(talking: Client) -> None:
    active = await say(talking, "/permission")
    first = await say(talking, "first", behavior=RunningRunBehavior.QUEUE)
    second = await say(talking, "second", behavior=RunningRunBehavior.QUEUE)

    waiting = await talking.queue(AT)
    await talking.remove_queued(AT, first.runtime_run_id)
    left = await talking.queue(AT)
    removed = await until(talking, first, BranchRunCompleted)

    assert [(item.runtime_run_id, item.text, item.queued_position) for item in waiting] == [
        (first.runtime_run_id, "first", 1),
        (second.runtime_run_id, "second", 2),
    ]
    assert [(each.status, each.queued_position) for each in (active, first, second)] == [
        (RunStatus.ACTIVE, None),
        (RunStatus.QUEUED, 1),
        (RunStatus.QUEUED, 2),
    ]
    assert [item.runtime_run_id for item in left] == [second.runtime_run_id]
    assert isinstance(removed, BranchRunCompleted)
    assert removed.status is RunStatus.CANCELLED


async def test_what_does_not_wait_cannot_be_taken_out(talking: Client) -> None:
    active = await say(talking, "/permission")

    codes: list[tuple[int, str]] = []
    for run_id in (active.runtime_run_id, RunId("run_unknown")):
        with pytest.raises(Problem) as refused:
            await talking.remove_queued(AT, run_id)
        codes.append((refused.value.status, refused.value.code))

    assert codes == [(409, "run-not-queued"), (404, "run-not-found")]


async def test_a_run_that_waited_is_followed_from_its_first_place_in_the_queue(talking: Client) -> None:
    active = await say(talking, "/permission")
    asked = await until(talking, active, PermissionRequest)
    waiting = await say(talking, "hi", behavior=RunningRunBehavior.QUEUE)
    assert isinstance(asked, PermissionRequest)
    await talking.respond(AT, PermissionResponse(permission_id=asked.permission_id, approved=False))

    events = [received.event async for received in talking.follow_run(AT, waiting)]

    queued, dequeued, started, *_, ended = events
    assert isinstance(queued, BranchQueueUpdated)
    assert isinstance(dequeued, BranchQueueUpdated)
    assert [(item.runtime_run_id, item.queued_position) for item in queued.items] == [(waiting.runtime_run_id, 1)]
    assert dequeued.items == ()
    assert getattr(started, "runtime_run_id", None) == waiting.runtime_run_id
    assert isinstance(ended, BranchRunCompleted)
    assert ended.runtime_run_id == waiting.runtime_run_id
