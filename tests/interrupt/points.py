"""The points at which the staged agent can be found, and what is open there."""

from typing import NamedTuple

from tests.interrupt.stage import Stage
from tests.interrupt.talk import Talk


class Point(NamedTuple):
    """Where the agent is, how many questions were answered on the way, and what is open there."""

    name: str
    answers: int
    closed_by: tuple[str, ...] = ()


CALL = ("TOOL_CALL_RESULT", "TOOL_CALL_END")
MODEL = ("AGENT_TURN_FINISHED",)
CANCELLED = ("AGENT_REQUEST_CANCELLED",)
POINTS = (
    Point("before the first model call", 0),
    Point("before the text", 0, MODEL),
    Point("in the text", 0, ("TEXT_MESSAGE_END", *MODEL)),
    Point("behind a call", 0, (*CALL, *MODEL)),
    Point("behind two calls", 0, (*CALL, *CALL, *MODEL)),
    Point("before the tools", 0, (*CALL, *CALL, *MODEL)),
    Point("in a tool", 0, (*CANCELLED, *CALL, *CALL, *MODEL)),
    Point("PERMISSION_REQUEST", 0, (*CANCELLED, *CALL, *MODEL)),
    Point("in a gated tool", 1, (*CALL, *MODEL)),
    Point("behind the tools", 1),
    Point("CLARIFICATION_REQUEST", 1, CANCELLED),
    Point("behind the question", 2),
    Point("in the thought", 2, ("REASONING_MESSAGE_END", *MODEL)),
    Point("behind the text", 2, ("TEXT_MESSAGE_END", *MODEL)),
    Point("behind all", 2),
)


UNDISTURBED = [
    "BRANCH_CREATED",
    "BRANCH_RUN_STARTED",
    "MESSAGE_STARTED",
    "CONTENT_ADDED",
    "MESSAGE_COMPLETED",
    "MESSAGE_TURN_STARTED",
    "AGENT_TURN_STARTED",
    "TEXT_MESSAGE_START",
    "TEXT_DELTA",
    "TEXT_MESSAGE_END",
    "TOOL_CALL_START",
    "TOOL_CALL_ARGS",
    "TOOL_CALL_START",
    "TOOL_CALL_ARGS",
    "PERMISSION_REQUEST",
    *CALL,
    "PERMISSION_RESPONSE",
    "PERMISSION_APPROVED",
    *CALL,
    *MODEL,
    "CLARIFICATION_REQUEST",
    "CLARIFICATION_RESPONSE",
    "AGENT_TURN_STARTED",
    "REASONING_MESSAGE_START",
    "REASONING_DELTA",
    "REASONING_MESSAGE_END",
    "TEXT_MESSAGE_START",
    "TEXT_DELTA",
    "TEXT_MESSAGE_END",
    *MODEL,
    "MESSAGE_TURN_FINISHED",
    "BRANCH_RUN_COMPLETED",
]


async def reach(talk: Talk, point: Point, stage: Stage) -> None:
    """Let the agent come to the point."""
    await talk.say("go")
    if point.answers or point.name == "PERMISSION_REQUEST":
        asked = await talk.asked()
        await talk.logged(lambda event: event["type"] == "TOOL_CALL_END")
    if point.answers:
        await talk.answer(asked[0], approved=True)
    if point.answers > 1 or point.name == "CLARIFICATION_REQUEST":
        asked = await talk.asked()
    if point.answers > 1:
        await talk.answer(asked[0], question=asked[0]["request"]["question"], answer="this")
    if not point.name.isupper():
        await stage.reached.wait()
