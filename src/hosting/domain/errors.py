"""What can go wrong, as the core tells it; statuses and wire codes live in `hosting.api.problems`.

BranchlineError
+-- NotFound
|   +-- AgentMissing, SessionMissing, BranchMissing, RunMissing
+-- Conflict
|   +-- SessionExists, BranchExists, MessageExists, RunActive, RunNotActive, RunNotQueued
|   +-- AgentNotStored
|   +-- ResponseRefused
|       +-- BranchNotRunning, ResponseNotAwaited
+-- QueueFull             too many inputs wait on the branch
+-- Invalid
|   +-- InvalidInput, InvalidResponse, InvalidRequest, UnknownMember, RunConfigRefused, ConfigRefused
|   +-- ForkMessageMissing, ProtectedBranch, HasChildren, RecursiveDeleteDisabled
+-- InvalidPosition
+-- ServerLeaving         the server is being stopped; try again, there or at another
+-- StorageUnavailable    nothing was stored; try again (Withdrawn)
+-- LogCorrupt            stored bytes do not fit their checksum
+-- LeaseLost             another holder writes for this run now (Withdrawn)
+-- AgentElsewhere        an agent whose runs workers do cannot work inside of the server
+-- AgentRefused          an agent in people's own code cannot be hosted as it is
+-- AgentFileRefused      a file that describes an agent cannot be taken
+-- StorageRefused        the store cannot be used at all: another server has it, or its address is wrong

RunBroken (AgentError)
+-- RunDiverged           a run that began again did something else than before
+-- RunLost               a run was cut too often, or with an effect that cannot be known
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.interactions import ResponseOutcome
from events.position import Position
from hosting.domain.pointer import dotted
from middleware.errors import RunBroken, Withdrawn

_NAMED: Final = 5


class BranchlineError(Exception):
    """The root of what Branchline raises."""

    code: ClassVar[str] = "internal-error"


class NotFound(BranchlineError):
    """Something named in a request is not there, or not the caller's."""


class AgentMissing(NotFound):
    """No such agent."""

    code = "agent-not-found"

    def __init__(self, agent_id: AgentId) -> None:
        super().__init__(f"There is no agent {agent_id!r} on this server.")


class SessionMissing(NotFound):
    """No such session."""

    code = "session-not-found"

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"There is no session {session_id!r}.")


class BranchMissing(NotFound):
    """No such branch."""

    code = "branch-not-found"

    def __init__(self, session_id: SessionId, branch_id: BranchId) -> None:
        super().__init__(f"Session {session_id!r} has no branch {branch_id!r}.")


class RunMissing(NotFound):
    """No such run."""

    code = "run-not-found"

    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"This branch has no run {run_id!r}.")


class Conflict(BranchlineError):
    """The request does not fit the state things are in."""


class SessionExists(Conflict):
    """The session id is taken."""

    code = "session-exists"

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"There is a session {session_id!r} already.")


class BranchExists(Conflict):
    """The branch id is taken."""

    code = "branch-exists"

    def __init__(self, session_id: SessionId, branch_id: BranchId) -> None:
        super().__init__(f"Session {session_id!r} has a branch {branch_id!r} already.")


class MessageExists(Conflict):
    """A message id is taken."""

    code = "message-exists"

    def __init__(self, message_ids: tuple[MessageId, ...]) -> None:
        super().__init__(f"This branch has a message with one of these ids already: {', '.join(message_ids)}.")


class RunActive(Conflict):
    """The branch is busy."""

    code = "branch-run-active"

    def __init__(self, branch_id: BranchId) -> None:
        super().__init__(f"Branch {branch_id!r} has an active run; wait for its BRANCH_RUN_COMPLETED, then try again.")


class RunNotActive(Conflict):
    """There is nothing to interrupt."""

    code = "branch-run-not-active"

    def __init__(self, branch_id: BranchId, flow: str | None = None) -> None:
        what = "no active run" if flow is None else f"no active event flow {flow[:100]!r}"
        super().__init__(f"Branch {branch_id!r} has {what}.")


class RunNotQueued(Conflict):
    """A run does not wait in the queue."""

    code = "run-not-queued"

    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"Run {run_id!r} does not wait in the queue; it has started or ended.")


class AgentNotStored(Conflict):
    """An agent is none that clients can change."""

    code = "agent-not-stored"

    def __init__(self, agent_id: AgentId, where: str) -> None:
        super().__init__(f"Agent {agent_id[:100]!r} is not stored: it comes from {where}, and is changed there.")


class ResponseRefused(Conflict):
    """An answer settles nothing; `outcome` says why."""

    def __init__(self, request_id: str, outcome: ResponseOutcome, sentence: str) -> None:
        self.request_id, self.outcome = request_id, outcome
        super().__init__(sentence)


class BranchNotRunning(ResponseRefused):
    """The branch has no active run that could wait for an answer."""

    code = "branch-runtime-not-active"

    def __init__(self, branch_id: BranchId, request_id: str, outcome: ResponseOutcome) -> None:
        super().__init__(
            request_id, outcome, f"Branch {branch_id!r} has no active run; request {request_id[:100]!r} is {outcome}."
        )


class ResponseNotAwaited(ResponseRefused):
    """The active run does not wait for this answer."""

    code = "response-not-awaited"

    def __init__(self, branch_id: BranchId, request_id: str, outcome: ResponseOutcome) -> None:
        super().__init__(
            request_id,
            outcome,
            f"The run on branch {branch_id!r} waits for no such answer to request {request_id[:100]!r}: {outcome}.",
        )


class QueueFull(BranchlineError):
    """Too many inputs wait already."""

    code = "queue-full"

    def __init__(self, branch_id: BranchId, most: int) -> None:
        super().__init__(f"{most} inputs wait on branch {branch_id!r} already; send again when one of them has run.")


class ServerLeaving(BranchlineError):
    """No run is begun here any more."""

    code = "not-ready"

    def __init__(self) -> None:
        super().__init__("The server is being stopped and takes no more inputs. Send again shortly.")


class Invalid(BranchlineError):
    """The request itself is wrong."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)


class InvalidInput(Invalid):
    """The body of an input is wrong."""

    code = "invalid-input"


class InvalidResponse(Invalid):
    """The body of a response is wrong."""

    code = "invalid-response"


class InvalidRequest(Invalid):
    """A body, path or query parameter is wrong."""

    code = "invalid-request"


class UnknownMember(Invalid):
    """A body has a member that the route does not know."""

    code = "unknown-member"

    def __init__(self, member: str) -> None:
        super().__init__(f"The body has an unknown member {member[:100]!r}.")


class RunConfigRefused(Invalid):
    """A member of runConfig is not honoured."""

    code = "run-config-refused"


class ConfigRefused(Invalid):
    """There can be no agent with this config; `pointer` (RFC 6901) leads to the member that is to blame."""

    code = "config-refused"

    def __init__(self, pointer: str, sentence: str) -> None:
        self.pointer, self.sentence = pointer, sentence
        place = f" - at `{dotted(pointer)}`" if pointer else ""
        super().__init__(f"{sentence.removesuffix('.')}{place}.")

    def below(self, parent: str) -> "ConfigRefused":
        """Return the same refusal, with its pointer as seen from outside of what `parent` points to."""
        return ConfigRefused(f"{parent}{self.pointer}", self.sentence)


class ForkMessageMissing(Invalid):
    """A branch has no such message to be forked at."""

    code = "fork-message-not-present"

    def __init__(self, branch_id: BranchId, message_id: MessageId) -> None:
        super().__init__(
            f"Branch {branch_id!r} has no message {message_id[:100]!r} that has ended; its events tell which it has."
        )


class ProtectedBranch(Invalid):
    """A branch that no session is without."""

    code = "protected-branch"

    def __init__(self, branch_id: BranchId) -> None:
        super().__init__(f"Branch {branch_id!r} cannot be deleted; delete the session.")


class HasChildren(Invalid):
    """A branch cannot be deleted without its forks."""

    code = "has-children"

    def __init__(self, branch_id: BranchId, children: Sequence[BranchId]) -> None:
        named = ", ".join(children[:_NAMED]) + (", ..." if len(children) > _NAMED else "")
        super().__init__(
            f"Branch {branch_id!r} has been forked: {named}; delete the forks first, or with it by ?recursive=true."
        )


class RecursiveDeleteDisabled(Invalid):
    """The operator does not want whole trees to be deleted."""

    code = "recursive-delete-disabled"

    def __init__(self, branch_id: BranchId) -> None:
        super().__init__(f"This server does not delete branches with their forks; delete those of {branch_id!r} first.")


class InvalidPosition(BranchlineError):
    """A position cannot be read from."""

    code = "invalid-position"

    def __init__(self, requested: str, earliest: Position, latest: Position) -> None:
        self.earliest, self.latest = earliest, latest
        super().__init__(f"{requested[:100]!r} is no position of this branch between {earliest} and {latest}.")


class StorageUnavailable(BranchlineError, Withdrawn):
    """The store did not take it: nothing was acknowledged, and hardly ever was anything changed."""

    code = "storage-unavailable"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__("The storage cannot take this now; nothing was changed. Try again shortly.")


class LogCorrupt(BranchlineError):
    """Stored events are damaged."""

    def __init__(self, branch_key: int, first_seq: int, last_seq: int) -> None:
        super().__init__(f"Events {first_seq} to {last_seq} of branch row {branch_key} do not fit their checksum.")


class LeaseLost(BranchlineError, Withdrawn):
    """Another holder writes for this run now."""

    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"Run {run_id} is no longer held by this node.")


class StorageRefused(BranchlineError):
    """The store cannot be opened."""


class AgentElsewhere(BranchlineError):
    """An agent's runs are done by workers; it cannot be a part of another run."""

    def __init__(self, agent_id: AgentId) -> None:
        super().__init__(
            f"The runs of agent {agent_id[:100]!r} are done by workers: it answers inputs of its own, and cannot work "
            "inside of another run."
        )


class AgentRefused(BranchlineError):
    """An agent in people's own code cannot be hosted as it is."""


class AgentFileRefused(BranchlineError):
    """A file that describes an agent cannot be taken."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")


class RunDiverged(RunBroken):
    """A run that began again after a crash did something else in the place of a step than before."""

    def __init__(self, place: str, before: str, now: str) -> None:
        otherwise = " with other arguments" if before == now else ""
        super().__init__(
            f"Begun again, the run asked for {now!r} as its step {place}, where it had asked for {before!r}{otherwise}."
        )


class RunLost(RunBroken):
    """A run was cut too often, or inside a tool, to be begun once more."""

    @classmethod
    def after(cls, attempts: int) -> "RunLost":
        """Return the error of a run that was cut too often."""
        return cls(f"The run was cut off {attempts} times and is not begun again.")

    @classmethod
    def inside(cls, tool: str) -> "RunLost":
        """Return the error of a run that was cut while a tool was at work which must not be called twice."""
        return cls(f"The run was cut off while the tool {tool[:100]!r} was at work; what it has done cannot be known.")
