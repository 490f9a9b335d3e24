"""The door that an agent's tools come through."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from events.event import Event
from events.interactions import Request, Response
from events.tools import CallType
from hosting.domain.secret import Secret

T = TypeVar("T")
A = TypeVar("A", bound=Response)


class ToolContext(Protocol):
    """What can be done inside of a run, by its agent and by the tools that it calls.

    Everything but `emit`, `credential` and `content` is done once, however often the run begins again after a crash.

    Raises:
        RunDiverged: begun again, the run did something else in a place than before.
        LeaseLost: another node runs this now, or it was interrupted; let it pass.
        StorageUnavailable: the store takes nothing now; let it pass, the run is taken up again.
    """

    @property
    def call_id(self) -> str | None:
        """The call that a tool is at work for, as its events name it; None outside of tools."""
        ...

    @property
    def is_permitted(self) -> bool:
        """Whether somebody, or a rule, has allowed this very call: one that needs no permission is not asked for."""
        ...

    def new_request_id(self) -> str:
        """Return an id for a question."""
        ...

    async def emit(self, event: Event) -> None:
        """Put an event on the branch; returns when there is room for more, not when it is stored.

        It is emitted again when the run begins again after a crash.
        """
        ...

    async def step(self, name: str, work: Callable[[], Awaitable[T]], *, arguments: Any = None) -> T:
        """Do something with an effect once, and return its result, which JSON must be able to hold.

        When the run begins again after a crash, work that had ended is not done again: its result is returned.
        Work that was cut by the crash is done again.
        """
        ...

    async def request(self, request: Request, answer: type[A], *, within: timedelta | None = None) -> A:
        """Ask a question, and return the answer as soon as it is there, also when the server was killed in between.

        Without `within` it waits as long as it takes.

        Raises:
            RequestExpired: nobody answered in time.
        """
        ...

    async def clarify(self, question: str, options: Sequence[str] = ()) -> str:
        """Ask the user in words, and return the answer, which may be none of the options.

        Raises:
            RequestExpired: nobody answered in time.
        """
        ...

    async def recall(self, name: str, *, of_session: bool = False) -> Any:
        """Return what was kept under a name with the branch, or with its session; None when nothing was."""
        ...

    async def keep(self, name: str, value: Any, *, of_session: bool = False) -> None:
        """Keep something that JSON can hold with the branch, where forks copy it, or with its session; None forgets."""
        ...

    async def credential(self, name: str) -> Secret:
        """Return a credential of the place that the run is in: its tenant, its agent's project, its session.

        It is looked up each time, and kept nowhere: what was changed meanwhile is the new one, and a run that begins
        again looks once more. `reveal()` it where it is needed; it does not print, and a step's result cannot hold it.

        Raises:
            CredentialMissing: there is none, and nothing takes its place.
            CredentialUnusable: its value cannot be read.
        """
        ...

    async def content(self, uri: str, *, most_bytes: int | None = None) -> bytes:
        """Return the bytes of a file that was uploaded to the session, as `hpd-content://{contentId}` names it.

        They are read each time, and kept nowhere.

        Raises:
            ContentGone: there is none, or not any more.
            ContentTooLarge: it has more than `most_bytes`.
            ContentsElsewhere: the run is at a worker.
            ValueError: the URI is of another kind.
        """
        ...

    async def run_agent(self, agent_id: str, text: str) -> str:
        """Let another agent work on something, inside of this run, and return the last that it said.

        What it does is told on the same branch, its questions are this run's, and an interrupt reaches it; it has no
        run of its own, and the conversation has none of its messages.

        Raises:
            ToolFailed: no agent answers under that id, it failed, or was interrupted.
        """
        ...


Work = Callable[[ToolContext, Mapping[str, Any]], Awaitable[Any]]
"""Does what a tool does and returns text, a ToolResult, or anything that JSON can hold."""

Check = Callable[[Mapping[str, Any]], object]
"""Looks at the arguments of a call before anybody is asked for it; raises WrongArguments."""


def _no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Tool:
    """Something an agent can call; `hosting.tool` makes one of a function.

    A call that a crash has cut is made again only if the tool is `safe_to_retry`; otherwise nobody can know what it has
    done, and the run fails with RunLost. Tools that only ask, or only run other agents, are safe.
    `retries` says how often a call that fails is made again, `timeout` how long one try may take.
    `parameters_schema` is the JSON Schema of the arguments, for models; a call that `check` refuses is not made.
    `is_there` is False of what takes the place of a tool that there is not, or not any more: it has no effect, and says
    nothing of what the tool itself may have done.
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
    parameters_schema: Mapping[str, Any] = field(default_factory=_no_parameters, hash=False)
    check: Check | None = None
    is_there: bool = True
