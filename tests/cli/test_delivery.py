"""Answers that are brought through bad connections."""

import io

import pytest
from rich.console import Console

from events.ids import AgentId, SessionId
from events.permissions import PermissionResponse
from hosting.cli.asking.delivery import Delivery
from hosting.cli.lines import Lines
from hosting.client import AnswerLost, BranchAddress, Client, Patience, Problem, ResponseRefused
from tests.cli.peer import Peer, answer

AT = BranchAddress(AgentId("demo"), SessionId("s1"))
YES = PermissionResponse(permission_id="req_1", approved=True)
CUT = b""
TAKEN = answer("200 OK", b'{"requestId":"req_1","outcome":"accepted","position":"aaaaaaaaaaaa.1"}')
AWAY = answer("503 Service Unavailable", b'{"code":"storage-unavailable","detail":"Away."}', "application/problem+json")
BROKEN = answer("500 Internal Server Error", b'{"code":"internal-error","detail":"No."}', "application/problem+json")


def refused(outcome: str) -> bytes:
    """Return the answer to an answer that counts for nothing."""
    document = f'{{"code":"response-not-awaited","detail":"No.","outcome":"{outcome}"}}'
    return answer("409 Conflict", document.encode(), "application/problem+json")


async def deliver(peer: Peer, *, attempts: int = 3) -> str:
    """Bring an answer to a peer and return what was told meanwhile."""
    told = io.StringIO()
    async with Client(peer.url, patience=Patience(sends=1)) as client:
        view = Lines(Console(file=io.StringIO()), Console(file=told, width=200))
        await Delivery(client, AT, view, attempts=attempts).deliver(YES)
    return told.getvalue()


async def test_an_answer_is_brought_again_while_the_server_is_away() -> None:
    async with Peer(CUT, AWAY, TAKEN) as peer:
        told = await deliver(peer)

    assert len(peer.requests) == 3
    assert told == "The answer did not get through; trying again.\n"


async def test_an_answer_that_counted_though_nobody_heard_so_is_no_refusal() -> None:
    async with Peer(CUT, refused("already-resolved")) as peer:
        await deliver(peer)

    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    "answers",
    [
        (refused("already-resolved"),),
        # The store was away, so the first attempt was not the one that counted.
        (AWAY, refused("already-resolved")),
        (CUT, refused("timed-out")),
    ],
)
async def test_an_answer_that_somebody_was_faster_with_is_refused(answers: tuple[bytes, ...]) -> None:
    async with Peer(*answers) as peer:
        with pytest.raises(ResponseRefused):
            await deliver(peer)


async def test_a_problem_that_will_not_pass_is_no_reason_to_try_again() -> None:
    async with Peer(BROKEN, TAKEN) as peer:
        with pytest.raises(Problem, match="internal-error"):
            await deliver(peer)

    assert len(peer.requests) == 1


async def test_after_the_attempts_chosen_it_is_given_up() -> None:
    async with Peer(CUT, CUT, TAKEN) as peer:
        with pytest.raises(AnswerLost):
            await deliver(peer, attempts=2)

    assert len(peer.requests) == 2
