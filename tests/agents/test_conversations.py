"""What `hosting.testing` gives authors: conversations with their agents, without a server to start."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from events.clarification import ClarificationRequest
from events.client_tools import ClientToolInvokeRequest, ClientToolInvokeResponse
from events.interactions import Request, Response
from events.tools import ResultType, ToolText
from hosting import AgentError, Limits, RunContext, agent, tool
from hosting.testing import NotAnswered, converse, converse_async
from tests.agents.careful_agents import fickle


class Question(Request, frozen=True, kw_only=True):
    request_id: str


class Answer(Response, frozen=True, kw_only=True):
    request_id: str
    number: int


Question.answered_by = Answer

EVENTS = (Question, Answer)


@tool(requires_permission=True)
async def buy(what: str) -> dict[str, str]:
    """Buy something."""
    return {"bought": what}


@agent
async def shopper(context: RunContext) -> str:
    many = await context.clarify(f"How many {context.text}?")
    bought = await context.call(buy, what=f"{many} {context.text}")
    return f"Here: {bought['bought']}."


def test_a_conversation_tells_what_was_said_asked_and_called() -> None:
    conversation = converse(shopper, "pears", "figs", approve=True, answers=["3", "5"])

    assert conversation.said == ["Here: 3 pears.", "Here: 5 figs."]
    assert conversation.text == "Here: 3 pears.\nHere: 5 figs."
    assert [(call.name, call.arguments, call.result, call.outcome) for call in conversation.calls] == [
        ("buy", {"what": "3 pears"}, '{"bought":"3 pears"}', None),
        ("buy", {"what": "5 figs"}, '{"bought":"5 figs"}', None),
    ]
    assert [type(request).__name__ for request in conversation.asked] == [
        "ClarificationRequest",
        "PermissionRequest",
    ] * 2
    assert (conversation.status, conversation.error) == ("completed", None)


def test_what_is_denied_is_told_as_the_users_are_told_it() -> None:
    conversation = converse(shopper, "pears", approve=False, answers=["3"])

    assert conversation.calls[0].outcome is ResultType.DENIED
    assert (conversation.status, conversation.error) == ("failed", "CallDenied: The user denied this call.")
    assert "error='CallDenied: The user denied this call.'" in repr(conversation)


def test_an_agent_goes_on_where_it_was_in_the_next_server() -> None:
    steady = converse(shopper, "pears", approve=True, answers=["3"], restarts=True)
    strayed = converse(fickle, "hello", answers=["7"], restarts=True)

    assert steady.said == ["Here: 3 pears."]
    assert len(steady.calls) == 1
    assert strayed.error is not None
    assert strayed.error.startswith("RunDiverged: ")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "The agent asked 'How many pears?'; answer it with answers=[...]."),
        (
            {"answers": ["3"]},
            "The agent asked whether it may call buy with {'what': '3 pears'}; "
            "answer it with approve=True or approve=False.",
        ),
    ],
)
def test_a_question_that_the_test_has_no_answer_to_ends_it_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NotAnswered) as told:
        converse(shopper, "pears", **given)

    assert str(told.value) == sentence


def test_any_other_question_is_answered_by_a_function() -> None:
    async def curious(context: RunContext) -> str:
        question = Question(request_id=context.new_request_id(), source_name="Curious")
        answer = await context.request(question, Answer)
        return f"{answer.number} {await context.clarify('And?')}"

    def respond(request: Request) -> Response | None:
        if isinstance(request, ClarificationRequest):
            return None
        assert isinstance(request, Question)
        return Answer(request_id=request.request_id, number=7)

    conversation = converse(curious, "hi", events=EVENTS, respond=respond, answers=["so"])

    assert conversation.said == ["7 so"]
    with pytest.raises(NotAnswered, match="asked a Question; answer it with respond="):
        converse(curious, "hi", events=EVENTS)


def test_a_tool_of_the_client_is_called_by_its_name() -> None:
    async def reader(context: RunContext) -> str:
        return f"Selected: {await context.call('read_selection', lines=3)}."

    def respond(request: Request) -> Response:
        assert isinstance(request, ClientToolInvokeRequest)
        assert (request.tool_name, request.arguments) == ("read_selection", {"lines": 3})
        return ClientToolInvokeResponse(request_id=request.request_id, content=(ToolText(text="three lines"),))

    editor = {"name": "editor", "tools": [{"name": "read_selection", "parametersSchema": {"type": "object"}}]}

    conversation = converse(
        reader, "go", respond=respond, run_config={"clientToolInput": {"clientToolHarnesses": [editor]}}
    )

    assert conversation.said == ["Selected: three lines."]


def test_everything_that_can_be_served_can_be_spoken_to() -> None:
    class Whole:
        agent_id = "whole"
        name = "Whole"

        async def run(self, context: RunContext) -> None:
            await context.say(f"{context.agent_id} {context.config.run_timeout}")

    async def generator(context: RunContext) -> AsyncIterator[str]:
        yield f"{context.agent_id} "
        yield await context.run_agent("whole", "hi")

    told = converse(Whole(), "hi", run_config={"runTimeout": "PT5S"})
    nested = converse(generator, "hi", agents={"whole": Whole()})

    assert told.said == ["whole 0:00:05"]
    assert nested.said == ["generator whole None"]
    with pytest.raises(TypeError, match="is no agent"):
        converse(7, "hi")


def test_an_agent_past_its_limit_goes_on_as_the_test_approves() -> None:
    @agent(limits=Limits(iterations=1, extension=1))
    async def talker(context: RunContext) -> None:
        await context.say("one")
        await context.say("two")

    assert converse(talker, "go", approve=True).said == ["one", "two"]
    assert converse(talker, "go", approve=False).said[-1].startswith("I have used up my 1 iterations")


def test_what_was_said_piece_by_piece_and_failed_is_not_said_again() -> None:
    tries = []

    class Busy(AgentError):
        is_retryable = True

    async def pieces() -> AsyncIterator[str]:
        tries.append(1)
        yield "one "
        raise Busy("Come back later.")

    @agent(limits=Limits(model_retries=2))
    async def reader(context: RunContext) -> None:
        await context.say(pieces())

    conversation = converse(reader, "go")

    assert (conversation.said, conversation.error) == (["one "], "Busy: Come back later.")
    assert len(tries) == 1


def test_what_is_no_text_cannot_be_said() -> None:
    async def mute(context: RunContext) -> None:
        await context.say(["one", "two"])  # type: ignore[arg-type]

    assert converse(mute, "go").error == "TypeError: The agent failed."


async def test_a_test_in_an_event_loop_awaits_a_conversation() -> None:
    conversation = await converse_async(shopper, "pears", approve=True, answers=["1"])

    assert conversation.said == ["Here: 1 pears."]


def test_a_conversation_that_takes_too_long_says_so() -> None:
    async def sleeper(context: RunContext) -> None:
        await context.request(Question(request_id=context.new_request_id(), source_name="Sleeper"), Answer)

    async def endless(context: RunContext) -> None:
        await context.step("wait", _for_ever)

    with pytest.raises(TimeoutError, match=r"The conversation took longer than 0\.5 seconds\."):
        converse(endless, "go", within=timedelta(seconds=0.5))
    with pytest.raises(NotAnswered):
        converse(sleeper, "go", events=EVENTS)


async def _for_ever() -> None:
    await asyncio.Event().wait()
