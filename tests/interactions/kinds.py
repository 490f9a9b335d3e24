"""Each kind of question: what makes a run ask it, what answers it, and the orders of events that go with it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.interactions.orders import ACCEPTED, ALLOWED, ANSWERED_CALL, CALL, CLOSING, EXPIRED, OPENING, SAID, SPEAKING

CLIENT_TOOL: dict[str, Any] = {"name": "show", "description": "Show.", "parametersSchema": {"type": "object"}}
CLIENT_TOOLS: dict[str, Any] = {"clientToolHarnesses": [{"name": "ui", "tools": [CLIENT_TOOL]}]}
"""What a client says of the one tool that it has."""


@dataclass(frozen=True)
class Kind:
    """A question; `before` are the events up to it, `after` those behind it once it is answered with `answer`.

    `lost` are the events behind it when nobody answers; `timeout` is the member of runConfig that says when.
    """

    request: str
    response: str
    text: str
    members: dict[str, Any]
    answer: dict[str, Any]
    before: list[str]
    after: list[str]
    lost: list[str]
    timeout: str = ""
    agent: str = "demo"
    config: dict[str, Any] = field(default_factory=dict)


PERMISSION = Kind(
    request="PERMISSION_REQUEST",
    response="PERMISSION_RESPONSE",
    text="/permission secret.txt",
    members={
        "sourceName": "Permission",
        "functionName": "delete_file",
        "description": "Delete a file for good.",
        "arguments": {"path": "secret.txt"},
    },
    answer={"approved": True},
    before=[*OPENING, *SPEAKING, *CALL],
    after=[*ALLOWED, *ANSWERED_CALL],
    lost=[*EXPIRED, *ANSWERED_CALL],
    timeout="permissionTimeout",
)
CONTINUATION = Kind(
    request="CONTINUATION_REQUEST",
    response="CONTINUATION_RESPONSE",
    text="/continue 4",
    members={"sourceName": "ContinuationPermission", "currentIteration": 4, "maxIterations": 3},
    answer={"approved": True},
    before=[*OPENING, *SAID, *SAID, *SAID],
    after=["CONTINUATION_RESPONSE", *SAID, *CLOSING],
    lost=["AGENT_REQUEST_EXPIRED", *SAID, *CLOSING],
    timeout="continuationTimeout",
)
CLARIFICATION = Kind(
    request="CLARIFICATION_REQUEST",
    response="CLARIFICATION_RESPONSE",
    text="/clarify",
    members={
        "sourceName": "Clarification",
        "question": "Which colour do you like best?",
        "agentName": "Demo",
        "options": ["red", "green", "blue"],
    },
    answer={"answer": "violet"},
    before=OPENING,
    after=["CLARIFICATION_RESPONSE", *SAID, *CLOSING],
    lost=["AGENT_REQUEST_EXPIRED", *SAID, *CLOSING],
    timeout="clarificationTimeout",
)
CLIENT = Kind(
    request="CLIENT_TOOL_INVOKE_REQUEST",
    response="CLIENT_TOOL_INVOKE_RESPONSE",
    text="/client-tool hello",
    members={
        "sourceName": "ClientTools",
        "toolName": "show",
        "description": "Show.",
        "arguments": {"text": "hello"},
    },
    answer={"content": [{"type": "text", "text": "shown"}]},
    before=[*ACCEPTED, "MESSAGE_TURN_STARTED", "CLIENT_TOOL_GROUPS_REGISTERED", *SPEAKING, *CALL],
    after=["CLIENT_TOOL_INVOKE_RESPONSE", *ANSWERED_CALL],
    lost=["AGENT_REQUEST_EXPIRED", *ANSWERED_CALL],
    timeout="clientToolTimeout",
    config={"clientToolInput": CLIENT_TOOLS},
)
CUSTOM = Kind(
    request="PAYMENT_REQUEST",
    response="PAYMENT_RESPONSE",
    text="12",
    members={"sourceName": "Till", "amount": 12},
    answer={"paid": 7},
    before=OPENING,
    after=["PAYMENT_RESPONSE", *SAID, *CLOSING],
    lost=["AGENT_REQUEST_EXPIRED", *SAID, *CLOSING],
    agent="payer",
)
STANDARD = (PERMISSION, CONTINUATION, CLARIFICATION, CLIENT)

each_kind = pytest.mark.parametrize("kind", [*STANDARD, CUSTOM], ids=lambda kind: kind.request)
each_standard_kind = pytest.mark.parametrize("kind", STANDARD, ids=lambda kind: kind.request)
