"""Where a WebSocket starts: with the first envelope that is one, or at once where a position says."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from hosting.domain.interaction import Interaction
from hosting.domain.scope import LOCAL_TENANT, BranchKey
from hosting.ports.store import TenantReads
from hosting.settings import Settings
from tests.following.inside import serving
from tests.harness.client import Client
from tests.harness.conversation import answer_to, is_request
from tests.harness.feed import completed
from tests.sockets.talk import Talk
from tests.sockets.wires import each_wire, wired


async def test_nothing_is_sent_before_the_first_envelope_and_then_all_that_it_causes(client: Client) -> None:
    session = await client.session()

    async with Talk(client, session) as talk:
        before = await client.accepted(session, "/tokens 20")
        await client.ended(session, before["runtimeRunId"])
        place = await client.position(session)
        await talk.say("Hi")
        await talk.end()

    lines = await client.log_lines(session)
    assert talk.lines == lines[int(place.split(".")[1]) :]
    assert talk.events[0]["type"] == "BRANCH_RUN_STARTED"


async def test_an_answer_that_comes_first_shows_the_question_that_it_answers(client: Client) -> None:
    session = await client.session()
    request = await _asked(client, session)

    async with Talk(client, session) as talk:
        await talk.send(answer_to(request, answer="red"))
        await talk.end()

    lines = await client.log_lines(session)
    assert talk.lines == lines[request["sequenceNumber"] - 1 :]
    assert talk.events[0] == request


async def test_an_interrupt_that_comes_first_is_told_of(client: Client) -> None:
    session = await client.session()
    accepted = await client.accepted(session, "/slow 1000")
    async with client.feed(session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TEXT_DELTA")

    async with Talk(client, session) as talk:
        await talk.send({"type": "INTERRUPTION_REQUEST"})
        last = await talk.end()

    assert last["status"] == "cancelled"
    assert talk.lines == (await client.log_lines(session))[talk.events[0]["sequenceNumber"] - 1 :]
    assert "INTERRUPTION_HANDLED" in {event["type"] for event in talk.events}


@each_wire
async def test_without_a_position_it_begins_just_before_the_oldest_question_that_is_open(
    client: Client, wire_kind: str
) -> None:
    session = await client.session()
    accepted = await client.accepted(session, "/parallel")
    async with client.feed(session, after=accepted["position"]) as feed:
        asked = [(await feed.until(is_request))[-1].json for _ in range(3)]

    async with wired(wire_kind, client, session) as wire:
        await wire.send(answer_to(asked[0], approved=True))
        await wire.of_type("PERMISSION_APPROVED")
    async with wired(wire_kind, client, session) as late:
        for request in asked[1:]:
            await late.send(answer_to(request, approved=True))
        await late.end()

    lines = await client.log_lines(session)
    assert (wire.events[0], late.events[0]) == (asked[0], asked[1])
    assert late.lines == lines[asked[1]["sequenceNumber"] - 1 :]


@each_wire
async def test_what_is_asked_while_it_looks_for_the_start_is_seen(database_url: str, wire_kind: str) -> None:
    settings = Settings(database_url=database_url)
    async with serving(settings) as (base, server), Client(base) as client:
        session = await client.session()
        asked: list[dict[str, str]] = []

        async def ask() -> None:
            asked.append(await _asked(client, session))

        assert server.runtime is not None
        reads = _AsksMeanwhile(server.runtime.tenant(LOCAL_TENANT), ask)
        server.runtime = replace(server.runtime, tenant=lambda tenant: cast("TenantReads", reads))
        async with wired(wire_kind, client, session) as wire:
            if wire_kind == "socket":
                # A first envelope; nobody waits for this answer, and that is said.
                await wire.send({"type": "CLARIFICATION_RESPONSE", "requestId": "none", "answer": "none"})
            seen = await wire.until(is_request)
            await wire.send(answer_to(seen, answer="red"))
            await wire.end()

    assert [seen] == asked


@each_wire
async def test_from_a_position_it_begins_at_once_whatever_is_asked(client: Client, wire_kind: str) -> None:
    session = await client.session()
    beginning = _beginning(await client.position(session))
    request = await _asked(client, session)

    async with wired(wire_kind, client, session, after=beginning) as whole:
        await whole.until(is_request)
    async with wired(wire_kind, client, session, after=request["eventId"]) as behind:
        await client.http.post(f"{client.path(session)}/responses", json=answer_to(request, answer="red"))
        await behind.end()

    lines = await client.log_lines(session)
    assert whole.lines == lines[: request["sequenceNumber"]]
    assert behind.lines == lines[request["sequenceNumber"] :]


async def test_last_event_id_wins_over_after_and_an_empty_one_is_absent(client: Client) -> None:
    session = await client.session()
    await client.ended(session, (await client.accepted(session, "Hi"))["runtimeRunId"])
    head = await client.position(session)
    beginning = _beginning(head)

    async with Talk(client, session, after=head, last_event_id=beginning) as by_header:
        await by_header.end()
    async with Talk(client, session, after=beginning, last_event_id="") as by_query:
        await by_query.end()
    async with Talk(client, session, after="", last_event_id="") as absent:
        await absent.say("Hi")
        first = await absent.frame()

    lines = await client.log_lines(session)
    assert by_header.lines == by_query.lines == lines[: int(head.split(".")[1])]
    assert first["sequenceNumber"] == int(head.split(".")[1]) + 1


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("nonsense", "malformed"),
        ("{epoch}.01", "malformed"),
        ("a" * 5000, "malformed"),
        ("{other}", "foreign"),
        ("0123456789ab.1", "foreign"),
        ("{epoch}.999", "future"),
    ],
)
async def test_a_bad_position_is_reset_in_the_first_frame_and_it_goes_on_live(
    client: Client, asked: str, reason: str
) -> None:
    session = await client.session()
    latest = await client.position(session)
    epoch = latest.split(".")[0]
    other = await client.position(session, await client.branch(session, "other"))
    after = asked.format(epoch=epoch, other=other)

    async with Talk(client, session, after=after) as talk:
        await talk.frame()
        await client.accepted(session, "Hi")
        await talk.end()
    async with client.feed(session, after=after) as feed:
        twin = (await feed.until(lambda event: event["type"] == "STREAM_RESET"))[-1]

    reset, *live = talk.lines
    event = talk.events[0]
    assert (event["type"], event["reason"], event["requested"]) == ("STREAM_RESET", reason, after[:100])
    assert (event["earliest"], event["latest"]) == (f"{epoch}.0", latest)
    assert list(event) == list(twin.json)
    assert "eventId" not in event
    assert reset not in await client.log_text(session)
    assert live == (await client.log_lines(session))[1:]


async def test_a_cut_client_comes_back_to_its_place_and_misses_nothing(client: Client) -> None:
    session = await client.session()
    rng = random.Random(7)
    lines: list[str] = []

    async with Talk(client, session) as talk:
        await talk.say("/tokens 1000 1")
        await talk.until(lambda event: event["type"] == "TEXT_DELTA")
        talk.cut()
    lines += talk.lines
    cuts = 1
    while not completed(talk.events[-1]):
        async with Talk(client, session, after=talk.events[-1]["eventId"]) as talk:
            for _ in range(rng.randrange(1, 100)):
                if completed(await talk.frame()):
                    break
            talk.cut()
        lines += talk.lines
        cuts += 1

    assert lines == (await client.log_lines(session))[1:]
    assert cuts > 10


class _AsksMeanwhile:
    """A tenant's reads; right after the open questions were read for the first time, something is asked."""

    def __init__(self, reads: TenantReads, ask: Callable[[], Awaitable[None]]) -> None:
        self._reads = reads
        self._ask: Callable[[], Awaitable[None]] | None = ask

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reads, name)

    async def open_interactions(self, branch: BranchKey) -> list[Interaction]:
        found = await self._reads.open_interactions(branch)
        ask, self._ask = self._ask, None
        if ask is not None:
            await ask()
        return found


async def _asked(client: Client, session: str) -> dict[str, str]:
    accepted = await client.accepted(session, "/clarify")
    async with client.feed(session, after=accepted["position"]) as feed:
        return (await feed.until(is_request))[-1].json


def _beginning(position: str) -> str:
    return f"{position.partition('.')[0]}.0"
