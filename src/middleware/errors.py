"""What a run can raise, as the layers around it tell it apart.

AgentError            its sentence is meant for the people who use the agent
+-- RunTimedOut       the run took longer than it was allowed
+-- ToolTimedOut      a tool call did
+-- RequestExpired    nobody answered a question in time
+-- BudgetExceeded    too many tool calls failed
+-- ClientToolsRefused  what a client says of its tools does not fit what it said before
+-- RunBroken         the whole run cannot go on, wherever inside of it that turns out
Withdrawn             the run is not ended: it goes on elsewhere or later
TurnFailed            how any failure leaves the layers around a turn
TurnStopped           the turn ends before the agent is done, and that is no failure
ToolFailed            how any failure leaves the core of a tool call
"""

from typing import Final

PRIVATE: Final = "{what} failed."
_LONGEST: Final = 4_000


class AgentError(Exception):
    """An agent's failure whose sentence is for the people who use it; any other exception's text stays private."""

    is_retryable = False


class RunTimedOut(AgentError):
    """The run took longer than it was allowed."""

    is_retryable = True

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The run took longer than the {seconds:g} seconds it was allowed.")


class ToolTimedOut(AgentError):
    """A tool call took longer than it was allowed."""

    is_retryable = True

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"The tool {name} took longer than the {seconds:g} seconds it was allowed.")


class RequestExpired(AgentError):
    """Nobody answered a question before its deadline."""

    def __init__(self, request_id: str, request_type: str) -> None:
        self.request_id = request_id
        super().__init__(f"Nobody answered the {request_type} in time.")


class BudgetExceeded(AgentError):
    """Too many tool calls failed one after the other."""

    def __init__(self, failures: int) -> None:
        super().__init__(f"{failures} tool calls failed one after the other; the run is ended.")


class ClientToolsRefused(AgentError):
    """What a client says of its tools does not fit what it said before."""


class RunBroken(AgentError):
    """The run cannot go on: no tool or agent inside of it takes this for a failure of its own that can be told."""


class Withdrawn(Exception):
    """This execution must stop without ending the run, which goes on elsewhere or later."""


class TurnFailed(Exception):
    """A turn failed; `message` is fit for people and holds nothing private.

    With `breaks_run` the turns that it is inside of fail with it.
    """

    def __init__(self, error_type: str, message: str, *, is_retryable: bool, breaks_run: bool = False) -> None:
        self.error_type, self.message, self.is_retryable = error_type, message, is_retryable
        self.breaks_run = breaks_run
        super().__init__(message)


class TurnStopped(Exception):
    """A turn ends before the agent is done, and its run is completed; `reason` says why, in a word."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ToolFailed(Exception):
    """A tool call failed; `message` is fit for people and models and holds nothing private."""

    def __init__(self, error_type: str, message: str, *, is_retryable: bool) -> None:
        self.error_type, self.message, self.is_retryable = error_type, message, is_retryable
        super().__init__(message)


def sentence_of(error: AgentError, otherwise: str) -> str:
    """Return an error's sentence as it can be stored and sent, at most 4 000 characters."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an agent's own __str__, which must not keep its run from ending
        return otherwise
    # A NUL or half a surrogate pair cannot be stored: the run that failed with one could never end.
    return text[:_LONGEST].encode(errors="replace").decode().replace("\x00", "\ufffd")
