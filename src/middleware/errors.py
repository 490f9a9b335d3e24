"""What a run can raise, as the layers around it tell it apart.

AgentError            its sentence is meant for the people who use the agent
+-- RunTimedOut       the run took longer than it was allowed
+-- ToolTimedOut      a tool call did
+-- RequestExpired    nobody answered a question in time
+-- BudgetExceeded    too many tool calls failed
+-- WrongArguments    a tool was called with arguments that it does not take
+-- CallDenied        a call that the agent made itself was not allowed
+-- CallFailed        a call that the agent made itself failed
+-- ModelFailed       a model did not answer as it should
|   +-- ModelUnavailable  a model is not asked for a while, since its last calls failed
+-- CredentialMissing  a run needs a credential that there is not
+-- CredentialUnusable  a run needs one whose value nobody can read
+-- ClientToolsRefused  what a client says of its tools does not fit what it said before
+-- RunBroken         the whole run cannot go on, wherever inside of it that turns out
Withdrawn             the run is not ended: it goes on elsewhere or later
TurnFailed            how any failure leaves the layers around a turn
TurnStopped           the turn ends before the agent is done, and that is no failure
ToolFailed            how any failure leaves the core of a tool call
PermissionNeeded      a tool finds out from a call that somebody must allow it
LeftToClient          a tool leaves a call to the client
"""

from datetime import timedelta
from typing import ClassVar, Final

PRIVATE: Final = "{what} failed."
MODEL_NOT_FOUND: Final = "model_not_found"
"""The category of a failure that a model of another name would not have had."""
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


class WrongArguments(AgentError):
    """A tool was called with arguments that it does not take."""


class CallDenied(AgentError):
    """A tool call that an agent's own code made was not allowed, and so not made."""

    def __init__(self, tool: str, reason: str) -> None:
        self.tool, self.reason = tool, reason
        super().__init__(reason)


class CallFailed(AgentError):
    """A tool call that an agent's own code made failed."""

    def __init__(self, tool: str, reason: str) -> None:
        self.tool, self.reason = tool, reason
        super().__init__(reason)


class ModelFailed(AgentError):
    """A model did not answer as it should.

    `category` is what went wrong, in a word that programs know. With `retry_after` its provider wants to be left alone
    for that long.
    """

    category: ClassVar[str] = "failed"
    is_providers_fault: bool | None = False
    """Whether the next call of the same model is likely to fail as well, whatever it asks; None when that is open."""

    def __init__(self, sentence: str, *, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(sentence)


class ModelUnavailable(ModelFailed):
    """A model is not asked for a while, since its last calls failed."""

    category = "unavailable"
    is_retryable = True

    def __init__(self, model: str, wait: timedelta) -> None:
        seconds = max(1, round(wait.total_seconds()))
        sentence = f"The model {model} has failed several times and is not asked for another {seconds} seconds."
        super().__init__(sentence, retry_after=wait)


class CredentialMissing(AgentError):
    """A run needs a credential that there is not where it is; nothing takes its place."""

    def __init__(self, name: str, sentence: str = "") -> None:
        self.name = name
        how = "an operator sets it, as `branchline credentials set` does"
        super().__init__(sentence or f"This run has no credential {name[:128]!r}; {how}.")


class CredentialUnusable(AgentError):
    """A run needs a credential that is there, and whose value cannot be read; a broader one does not take its place."""

    def __init__(self, name: str, sentence: str) -> None:
        self.name = name
        super().__init__(sentence)


class ClientToolsRefused(AgentError):
    """What a client says of its tools does not fit what it said before."""


class RunBroken(AgentError):
    """The run cannot go on: no tool or agent inside of it takes this for a failure of its own that can be told."""


class Withdrawn(Exception):
    """This execution must stop without ending the run, which goes on elsewhere or later."""


class TurnFailed(Exception):
    """A turn failed; `message` is fit for people and holds nothing private.

    With `breaks_run` the turns that it is inside of fail with it. `category` says what went wrong with a model.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        is_retryable: bool,
        breaks_run: bool = False,
        category: str | None = None,
    ) -> None:
        self.error_type, self.message, self.is_retryable = error_type, message, is_retryable
        self.breaks_run, self.category = breaks_run, category
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


class PermissionNeeded(Exception):
    """A tool does nothing before somebody has allowed this call of it; then it is called again."""


class LeftToClient(Exception):
    """A tool leaves this call to the client: its answer is what the call comes to."""


def sentence_of(error: BaseException, otherwise: str) -> str:
    """Return an error's sentence as it can be stored and sent, at most 4 000 characters."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an agent's own __str__, which must not keep its run from ending
        return otherwise
    # A NUL or half a surrogate pair cannot be stored: the run that failed with one could never end.
    return text[:_LONGEST].encode(errors="replace").decode().replace("\x00", "\ufffd")
