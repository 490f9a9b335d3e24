"""Telling what is asked and how to answer it from elsewhere, where nobody can be asked."""

import json
import shlex
from typing import Any, Final

import msgspec

from events.clarification import ClarificationRequest
from events.client_tools import ClientToolInvokeRequest
from events.continuation import ContinuationRequest
from events.event import Event
from events.interactions import Request
from events.permissions import PermissionRequest
from hosting.cli.asking.asked import Asked
from hosting.cli.asking.questions import question_of
from hosting.cli.calls import call_text
from hosting.cli.view import View
from hosting.client import BranchAddress

_LONGEST_ARGUMENT: Final = 200
_NOT_ASKED_ABOUT: Final = {
    *(field.encode_name for field in msgspec.structs.fields(Event)),
    *("version", "type", "channel", "requestId", "sourceName", "expiresAt"),
}


class Instructions:
    """Tells of a question, and leaves it to others."""

    def __init__(self, view: View, url: str, at: BranchAddress, *, with_key: bool = False) -> None:
        self._view = view
        # Never the key itself: what is told here ends up in logs.
        self._shown = ' -H "Authorization: Bearer $BRANCHLINE_KEY"' if with_key else ""
        self._branch = f"{url.rstrip('/')}{at.path}"

    async def answer(self, asked: Asked) -> None:
        """See Means.answer."""
        asked.told = True
        for line in (*self._question(asked), *self._how(asked)):
            self._view.note(asked.nesting.margin + line)

    def _question(self, asked: Asked) -> list[str]:
        who = f"{asked.nesting.subject} asks"
        match asked.request:
            case ClientToolInvokeRequest(tool_name=name, arguments=arguments):
                return [f"{who} for the client's tool {call_text(name, arguments, longest=_LONGEST_ARGUMENT)}."]
        question = None if asked.request is None else question_of(asked.request)
        if question is None:
            return [f"{who} what this client does not know: {_unknown(asked)}"]
        return [f"{who}: {question.lines[0]}", *question.lines[1:]]

    def _how(self, asked: Asked) -> list[str]:
        until = asked.request.expires_at if asked.request is not None else None
        waits = f"It waits until {until:%Y-%m-%d %H:%M:%S %Z}." if until is not None else ""
        bodies = {} if asked.request is None else _bodies(asked.request)
        if not bodies:
            return [f"Another client has to answer it; {self._branch}/interactions has the question. {waits}".rstrip()]
        answers = [f"{meaning}: {self._curl(body)}" for meaning, body in bodies.items()]
        return [*answers, waits] if waits else answers

    def _curl(self, body: dict[str, Any]) -> str:
        url, written = shlex.quote(f"{self._branch}/responses"), shlex.quote(json.dumps(body, separators=(",", ":")))
        return f"curl -X POST {url}{self._shown} -H 'Content-Type: application/json' -d {written}"


def _unknown(asked: Asked) -> str:
    members = msgspec.json.decode(asked.line, type=dict[str, Any])
    return call_text(
        asked.type,
        {name: value for name, value in members.items() if name not in _NOT_ASKED_ABOUT},
        longest=_LONGEST_ARGUMENT,
    )


def _bodies(request: Request) -> dict[str, dict[str, Any]]:
    """Return answers to a question, each by what it means."""
    match request:
        case PermissionRequest():
            allow = {"type": "PERMISSION_RESPONSE", "permissionId": request.permission_id, "approved": True}
            return {"Allow it": allow, "Deny it": allow | {"approved": False}}
        case ContinuationRequest():
            go_on = {"type": "CONTINUATION_RESPONSE", "continuationId": request.continuation_id, "approved": True}
            return {"Go on": go_on, "End it": go_on | {"approved": False}}
        case ClarificationRequest():
            said = {"type": "CLARIFICATION_RESPONSE", "requestId": request.request_id, "answer": "YOUR ANSWER"}
            return {"Answer it": said}
        case ClientToolInvokeRequest():
            content = [{"type": "text", "text": "WHAT IT CAME TO"}]
            made = {"type": "CLIENT_TOOL_INVOKE_RESPONSE", "requestId": request.request_id, "content": content}
            return {"Tell what it came to": made}
    return {}
