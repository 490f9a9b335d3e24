"""The door that an agent's tools come through."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from events.event import Event
from events.interactions import Request, Response
from events.tools import CallType

T = TypeVar("T")
A = TypeVar("A", bound=Response)


class ToolContext(Protocol):
    """What a tool call gives the tool; all of it is done once, however often the run begins again."""

    @property
    def call_id(self) -> str | None:
        """The call, as its events name it."""
        ...

    def new_request_id(self) -> str:
        """Return an id for a question."""
        ...

    async def emit(self, event: Event) -> None:
        """Put an event on the branch; see RunContext.emit."""
        ...

    async def step(self, name: str, work: Callable[[], Awaitable[T]], *, arguments: Any = None) -> T:
        """Do a part of the call once; see RunContext.step."""
        ...

    async def request(self, request: Request, answer: type[A], *, within: timedelta | None = None) -> A:
        """Ask the user something; see RunContext.request."""
        ...

    async def clarify(self, question: str, options: Sequence[str] = ()) -> str:
        """Ask the user in words; see RunContext.clarify."""
        ...

    async def run_agent(self, agent_id: str, text: str) -> str:
        """Let another agent work on something, inside of this run, and return the last that it said.

        What it does is told on the same branch, its questions are this run's, and an interrupt reaches it; it has no
        run of its own, and the conversation has none of its messages.

        Raises:
            AgentMissing: no agent answers under that id.
            ToolFailed: it failed, or was interrupted.
        """
        ...


Work = Callable[[ToolContext, Mapping[str, Any]], Awaitable[Any]]
"""Does what a tool does and returns text, a ToolResult, or anything that JSON can hold."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something an agent can call.

    A call that a crash has cut is made again only if the tool is `safe_to_retry`; otherwise nobody can know what it has
    done, and the run fails with RunLost. Tools that only ask, or only run other agents, are safe.
    `retries` says how often a call that fails is made again, `timeout` how long one try may take.
    """

    name: str
    work: Work
    description: str | None = None
    requires_permission: bool = False
    safe_to_retry: bool = False
    retries: int = 0
    timeout: timedelta | None = None
    call_type: CallType = CallType.FUNCTION
    harness: str | None = None
