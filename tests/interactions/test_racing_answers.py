"""Hundreds of answers to one question at the same moment: one settles it, and all others are told so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.harness.client import Client
from tests.harness.connections import Connections
from tests.harness.conversation import (
    Conversation,
    answer_to,
    conversation,
    id_of,
    of_type,
    only,
    open_questions,
    post_answer,
)
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.interactions.refused import refusal

RACERS = 500
LOST = (409, "response-not-awaited", "already-resolved")
ENDED = (409, "branch-runtime-not-active", "already-resolved")


async def test_of_500_racing_answers_exactly_one_counts(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/parallel") as talk, _racers(server.url) as racers:
        requests = [await talk.asked() for _ in range(3)]
        bodies = [answer_to(requests[0], approved=number % 2 == 0, reason=f"{number}") for number in range(RACERS)]

        responses = await _race(racers, talk, bodies)
        winner = _winner(responses, LOST)
        await talk.until("TOOL_CALL_END")
        still_open = await talk.open()
        for request in requests[1:]:
            await talk.accepted(request, approved=True)
        await talk.end()

    accepted = responses[winner].json()
    logged = [
        event for event in of_type(talk.events, "PERMISSION_RESPONSE") if event["permissionId"] == id_of(requests[0])
    ]
    assert [(event["reason"], event["approved"]) for event in logged] == [(str(winner), winner % 2 == 0)]
    assert accepted["requestId"] == id_of(requests[0])
    assert accepted["position"] == _before(logged[0])
    assert [question["requestId"] for question in still_open] == [id_of(request) for request in requests[1:]]
    _assert_one_effect(talk, requests[0], approved=winner % 2 == 0)


async def test_racing_answers_of_which_one_ends_the_run_count_once(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/clarify") as talk, _racers(server.url) as racers:
        request = await talk.asked()
        bodies = [answer_to(request, answer=f"colour {number}") for number in range(100)]

        responses = await _race(racers, talk, bodies)
        winner = _winner(responses, LOST, ENDED)
        await talk.end()

    assert only(talk.events, "CLARIFICATION_RESPONSE")["answer"] == f"colour {winner}"
    assert talk.last_text == f"So you like colour {winner}."
    assert len(of_type(talk.events, "BRANCH_RUN_COMPLETED")) == 1


async def test_racing_choices_are_remembered_as_the_one_that_counted(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/permission") as talk, _racers(server.url) as racers:
        request = await talk.asked()
        allow = answer_to(request, approved=True, choice="allow_always")
        deny = answer_to(request, approved=False, choice="deny_always")

        responses = await _race(racers, talk, [allow, deny] * 50)
        winner = _winner(responses, LOST, ENDED)
        await talk.end()
    async with conversation(client, "/permission", talk.session) as again:
        await again.end()

    decision = "PERMISSION_APPROVED" if winner % 2 == 0 else "PERMISSION_DENIED"
    only(talk.events, decision)
    assert only(again.events, decision)["reason"] == "remembered"


async def test_answers_to_two_servers_of_one_database_count_once(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    one, other = make_server(url, lease_seconds=60).start(), make_server(url, lease_seconds=60).start()
    async with Client(one.url) as client, conversation(client, "/parallel") as talk:
        async with _racers(one.url) as here, _racers(other.url) as there:
            requests = [await talk.asked() for _ in range(3)]
            bodies = [answer_to(requests[0], approved=True, reason=f"{number}") for number in range(100)]

            of_both = await asyncio.gather(_race(here, talk, bodies), _race(there, talk, bodies))
            responses = [response for of_one in of_both for response in of_one]
            winner = _winner(responses, LOST)
            for request in requests[1:]:
                await talk.accepted(request, approved=True)
            await talk.end()

    responses_in_log = of_type(talk.events, "PERMISSION_RESPONSE")
    assert [event.get("reason") for event in responses_in_log].count(str(winner % 100)) == 1
    assert len(responses_in_log) == 3
    _assert_one_effect(talk, requests[0], approved=True)


async def test_an_answer_that_comes_by_another_server_wakes_the_run(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    url = await postgres.create_database_async()
    one, other = make_server(url, lease_seconds=60).start(), make_server(url, lease_seconds=60).start()
    async with Client(one.url) as client, Client(other.url) as elsewhere, conversation(client, "/clarify") as talk:
        request = await talk.asked()
        (question,) = await open_questions(elsewhere, talk.session)

        response = await post_answer(elsewhere, talk.session, answer_to(request, answer="red"))
        await talk.end()

    assert question["request"] == request
    assert response.status_code == 200
    assert talk.last_text == "So you like red."


async def test_an_answer_that_races_the_deadline_counts_or_is_too_late(client: Client) -> None:
    outcomes = Counter[str]()
    for number in range(36):
        # From a millisecond to seconds: however slow the machine is, the first come too late and the last do not.
        within = f"PT{0.001 * 1.25**number:.3f}S"
        async with conversation(client, "/permission", permissionTimeout=within) as talk:
            response = await talk.answer(await talk.asked(), approved=True)
            seen = await talk.end()

        outcomes[response.json()["outcome"]] += 1
        if response.status_code == 200:
            assert seen.count("PERMISSION_RESPONSE") == seen.count("PERMISSION_APPROVED") == 1
            assert "AGENT_REQUEST_EXPIRED" not in seen
        else:
            assert refusal(response)[0::2] == (409, "timed-out")
            assert seen.count("AGENT_REQUEST_EXPIRED") == seen.count("PERMISSION_DENIED") == 1
            assert "PERMISSION_RESPONSE" not in seen
    assert set(outcomes) == {"accepted", "timed-out"}


async def test_an_answer_that_races_an_interrupt_counts_once_or_not_at_all(client: Client) -> None:
    for _ in range(20):
        async with conversation(client, "/permission") as talk:
            request = await talk.asked()
            interrupt = client.http.post(f"{talk.path}/interrupt")
            response, _ = await asyncio.gather(talk.answer(request, approved=True), interrupt)
            seen = await talk.end()

        settled = [seen.count("PERMISSION_RESPONSE"), seen.count("AGENT_REQUEST_CANCELLED")]
        if response.status_code == 200:
            assert settled == [1, 0]
        else:
            assert refusal(response)[0::2] == (409, "cancelled")
            assert settled == [0, 1]
        assert seen.count("TOOL_CALL_RESULT") == seen.count("TOOL_CALL_END") == 1


@asynccontextmanager
async def _racers(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that has a connection for each of them."""
    async with httpx.AsyncClient(base_url=base, timeout=60, transport=Connections(RACERS)) as racers:
        yield racers


async def _race(racers: httpx.AsyncClient, talk: Conversation, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    return await asyncio.gather(*(racers.post(f"{talk.path}/responses", json=body) for body in bodies))


def _winner(responses: list[httpx.Response], *lost: tuple[int, str, str]) -> int:
    """Return the number of the only answer that was accepted; all others must have been told one of these."""
    accepted = [number for number, response in enumerate(responses) if response.status_code == 200]
    refusals = Counter(refusal(response) for response in responses if response.status_code != 200)
    assert len(accepted) == 1, refusals
    assert set(refusals) <= set(lost)
    assert refusals.total() == len(responses) - 1
    return accepted[0]


def _assert_one_effect(talk: Conversation, request: dict[str, Any], *, approved: bool) -> None:
    decision = "PERMISSION_APPROVED" if approved else "PERMISSION_DENIED"
    expected = ["TOOL_CALL_START", "TOOL_CALL_ARGS", "PERMISSION_REQUEST", "PERMISSION_RESPONSE", decision]
    about = {request["callId"], id_of(request)}
    mine = [event["type"] for event in talk.events if about & {event.get("callId"), event.get("permissionId")}]
    assert [*expected, "TOOL_CALL_RESULT", "TOOL_CALL_END"] == mine


def _before(event: dict[str, Any]) -> str:
    epoch, _, seq = event["eventId"].partition(".")
    return f"{epoch}.{int(seq) - 1}"
