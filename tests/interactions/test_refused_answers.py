"""An answer that nobody waits for is refused with the reason, and changes nothing."""

from tests.harness.client import Client
from tests.harness.conversation import Conversation, answer_to, conversation, id_of, of_type, post_answer
from tests.harness.process import ServerProcess
from tests.interactions.kinds import CONTINUATION, CUSTOM, PERMISSION, Kind, each_kind
from tests.interactions.refused import refusal
from tests.interactions.unchanged import nothing_changes

NOT_ACTIVE = "branch-runtime-not-active"
NOT_AWAITED = "response-not-awaited"
_OTHERS = {
    "PERMISSION_RESPONSE": {"approved": True},
    "CONTINUATION_RESPONSE": {"approved": True},
    "CLARIFICATION_RESPONSE": {"answer": "red"},
    "CLIENT_TOOL_INVOKE_RESPONSE": {},
    "PAYMENT_RESPONSE": {"paid": 1},
}


async def test_the_second_answer_is_refused_while_the_run_goes_on(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/parallel") as talk:
        requests = [await talk.asked() for _ in range(3)]
        await talk.accepted(requests[0], approved=True)
        await talk.until("TOOL_CALL_END")

        async with nothing_changes(server, client, (talk.session, "main")):
            same = await talk.answer(requests[0], approved=True)
            other = await talk.answer(requests[0], approved=False)
            always = await talk.answer(requests[0], approved=False, choice="deny_always")

        for request in requests[1:]:
            await talk.accepted(request, approved=True)
        await talk.end()

    assert {refusal(same), refusal(other), refusal(always)} == {(409, NOT_AWAITED, "already-resolved")}
    assert [event["approved"] for event in of_type(talk.events, "PERMISSION_RESPONSE")] == [True] * 3


@each_kind
async def test_the_second_answer_is_refused_when_the_run_has_ended(server: ServerProcess, kind: Kind) -> None:
    async with Client(server.url, kind.agent) as client:
        async with conversation(client, kind.text, **kind.config) as talk:
            request = await talk.asked()
            await talk.accepted(request, **kind.answer)
            await talk.end()

        async with nothing_changes(server, client, (talk.session, "main")):
            second = await talk.answer(request, **kind.answer)

    assert refusal(second) == (409, NOT_ACTIVE, "already-resolved")


async def test_the_second_answer_is_refused_while_a_later_run_asks(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/clarify") as talk:
        first = await talk.asked()
        await talk.accepted(first, answer="red")
        await talk.end()
    async with conversation(client, "/clarify", talk.session) as later:
        await later.asked()

        async with nothing_changes(server, client, (talk.session, "main")):
            second = await talk.answer(first, answer="green")

    assert refusal(second) == (409, NOT_AWAITED, "already-resolved")


async def test_an_answer_that_comes_too_late_is_refused_while_the_run_goes_on(server: ServerProcess) -> None:
    async with Client(server.url, "curious") as client, conversation(client, "0.2") as talk:
        request = await talk.asked()
        await talk.until("AGENT_REQUEST_EXPIRED")
        await talk.asked()

        async with nothing_changes(server, client, (talk.session, "main")):
            late = await talk.answer(request, paid=1)

    assert refusal(late) == (409, NOT_AWAITED, "timed-out")


async def test_an_answer_that_comes_too_late_is_refused_when_the_run_has_ended(
    server: ServerProcess, client: Client
) -> None:
    async with conversation(client, "/permission", permissionTimeout="PT0.2S") as talk:
        request = await talk.asked()
        await talk.end()

    async with nothing_changes(server, client, (talk.session, "main")):
        late = await talk.answer(request, approved=True, choice="allow_always")

    assert refusal(late) == (409, NOT_ACTIVE, "timed-out")


async def test_an_answer_that_comes_after_an_interrupt_is_refused(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()
        await talk.interrupt()
        await talk.end()

    async with nothing_changes(server, client, (talk.session, "main")):
        without_run = await talk.answer(request, approved=True, choice="allow_always")
    async with conversation(client, "/permission", talk.session) as later:
        await later.asked()
        async with nothing_changes(server, client, (talk.session, "main")):
            with_run = await talk.answer(request, approved=True)

    assert refusal(without_run) == (409, NOT_ACTIVE, "cancelled")
    assert refusal(with_run) == (409, NOT_AWAITED, "cancelled")


async def test_an_answer_of_any_other_type_is_refused_and_the_question_stays_open(server: ServerProcess) -> None:
    wrong: dict[str, object] = {}
    for kind in (PERMISSION, CONTINUATION, CUSTOM):
        async with Client(server.url, kind.agent) as client:
            async with conversation(client, kind.text, **kind.config) as talk:
                request = await talk.asked()
                async with nothing_changes(server, client, (talk.session, "main")):
                    wrong |= await _mismatches(talk, request, kind.response)
                await talk.accepted(request, **kind.answer)
                await talk.end()

    assert len(wrong) == 12
    assert set(wrong.values()) == {(409, NOT_AWAITED, "type-mismatch")}


async def test_an_answer_to_what_nobody_has_asked_is_refused(server: ServerProcess, client: Client) -> None:
    session = await client.session()
    invented = {"type": "CLARIFICATION_RESPONSE", "requestId": "req_" + "0" * 32, "answer": "red"}

    async with nothing_changes(server, client, (session, "main")):
        without_run = await post_answer(client, session, invented)
    async with conversation(client, "/clarify", session) as talk:
        await talk.asked()
        async with nothing_changes(server, client, (session, "main")):
            with_run = await talk.respond(invented)
            empty = await talk.respond({**invented, "requestId": ""})
            long = await talk.respond({**invented, "requestId": "r" * 100_000})

    assert refusal(without_run) == (409, NOT_ACTIVE, "not-found")
    assert {refusal(with_run), refusal(empty), refusal(long)} == {(409, NOT_AWAITED, "not-found")}


async def test_an_answer_that_is_sent_to_another_branch_is_refused_there(server: ServerProcess, client: Client) -> None:
    async with conversation(client, "/clarify") as talk:
        request = await talk.asked()
        await client.branch(talk.session, "idle")
        await client.branch(talk.session, "asking")
        async with conversation(client, "/clarify", talk.session, "asking") as other:
            await other.asked()
            places = [(talk.session, name) for name in ("main", "idle", "asking")]

            async with nothing_changes(server, client, *places):
                to_idle = await post_answer(client, talk.session, answer_to(request, answer="red"), "idle")
                to_asking = await other.respond(answer_to(request, answer="red"))

        here = await talk.answer(request, answer="red")
        await talk.end()

    assert refusal(to_idle) == (409, NOT_ACTIVE, "not-found")
    assert refusal(to_asking) == (409, NOT_AWAITED, "not-found")
    assert here.status_code == 200


async def test_an_answer_that_is_sent_to_another_session_is_refused_there(
    server: ServerProcess, client: Client
) -> None:
    idle = await client.session()
    async with conversation(client, "/clarify") as talk, conversation(client, "/clarify") as other:
        request = await talk.asked()
        await other.asked()

        async with nothing_changes(server, client, (talk.session, "main"), (idle, "main"), (other.session, "main")):
            to_idle = await post_answer(client, idle, answer_to(request, answer="red"))
            to_asking = await other.respond(answer_to(request, answer="red"))

    assert refusal(to_idle) == (409, NOT_ACTIVE, "not-found")
    assert refusal(to_asking) == (409, NOT_AWAITED, "not-found")


async def test_an_answer_that_contradicts_itself_is_refused_and_the_question_stays_open(
    server: ServerProcess, client: Client
) -> None:
    async with conversation(client, "/permission") as talk:
        request = await talk.asked()

        async with nothing_changes(server, client, (talk.session, "main")):
            allows = [await talk.answer(request, approved=True, choice=choice) for choice in ("deny_always", 2)]
            denies = [await talk.answer(request, approved=False, choice=choice) for choice in ("AlwaysAllow", 1)]

        await talk.accepted(request, approved=True)
        await talk.end()

    assert {refusal(response) for response in (*allows, *denies)} == {(400, "invalid-response", None)}
    assert "`approved: true` contradicts `choice: deny_always`" in allows[0].json()["detail"]
    assert "`approved: false` contradicts `choice: allow_always`" in denies[1].json()["detail"]


async def test_a_contradiction_is_refused_before_it_is_asked_who_waits(client: Client) -> None:
    session = await client.session()
    body = {"type": "PERMISSION_RESPONSE", "permissionId": "p", "approved": True, "choice": "deny_always"}

    response = await post_answer(client, session, body)

    assert refusal(response) == (400, "invalid-response", None)


async def test_the_place_is_looked_at_before_the_body_and_the_body_before_the_run(client: Client) -> None:
    session = await client.session()
    stranger = Client(client.base, "nobody")
    async with stranger:
        no_agent = await post_answer(stranger, "gone", b"no JSON", "gone")
        no_session = await post_answer(client, "gone", b"no JSON", "gone")
        no_branch = await post_answer(client, session, b"no JSON", "gone")
        no_body = await post_answer(client, session, b"no JSON")
        no_run = await post_answer(client, session, b'{"type":"CLARIFICATION_RESPONSE","requestId":"r","answer":"a"}')

    refusals = [refusal(response) for response in (no_agent, no_session, no_branch, no_body, no_run)]
    assert refusals == [
        (404, "agent-not-found", None),
        (404, "session-not-found", None),
        (404, "branch-not-found", None),
        (400, "invalid-response", None),
        (409, NOT_ACTIVE, "not-found"),
    ]


async def test_a_refusal_names_the_question(client: Client) -> None:
    session = await client.session()

    response = await post_answer(client, session, {"type": "CLARIFICATION_RESPONSE", "requestId": "what", "answer": ""})

    assert "what" in response.json()["detail"]


async def _mismatches(talk: Conversation, request: dict[str, object], expected: str) -> dict[str, object]:
    """Send an answer of every other type under the question's id, and return how each was refused."""
    found: dict[str, object] = {}
    for wire_type, members in _OTHERS.items():
        if wire_type != expected:
            named = {"requestId": id_of(request), "permissionId": id_of(request), "continuationId": id_of(request)}
            response = await talk.respond({"type": wire_type, **named, **members})
            found[f"{wire_type} for {expected}"] = refusal(response)
    return found
