"""How a question came to be settled, in words."""

from events.clarification import ClarificationResponse
from events.continuation import ContinuationResponse
from events.event import Event
from events.interactions import AgentRequestCancelled, AgentRequestExpired
from events.permissions import PermissionChoice, PermissionResponse
from hosting.cli.legible import cut, one_line

_LONGEST = 200


def settlement(event: Event | None) -> str:
    """Return the sentence about an event that settled a question which was open here."""
    match event:
        case PermissionResponse():
            lasting = "" if event.choice is PermissionChoice.ASK else ", for good"
            because = f" ({_words(event.reason)})" if event.reason else ""
            return f"{'Allowed' if event.approved else 'Denied'} elsewhere{lasting}{because}."
        case ClarificationResponse():
            return f"Answered elsewhere: {_words(event.answer)}"
        case ContinuationResponse():
            return f"{'Allowed to go on' if event.approved else 'Stopped'} elsewhere."
        case AgentRequestExpired():
            return "Nobody answered in time; the run goes on without an answer."
        case AgentRequestCancelled():
            because = f" ({_words(event.reason)})" if event.reason else ""
            return f"Not asked any more{because}."
    return "Answered elsewhere."


def _words(text: str) -> str:
    return cut(one_line(text), _LONGEST)
