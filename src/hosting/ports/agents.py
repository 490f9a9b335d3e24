"""The door that agents come through; user code and Branchline's own agents use the same one."""

from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from events.compaction import CompactionStrategy, Retention
from events.ids import AgentId, RunId
from events.interactions import Response
from events.retries import ModelCallRetry
from events.tools import CallType, ToolResult
from events.turns import Usage
from hosting.domain.definition import AgentConfig
from hosting.domain.message import Message
from hosting.domain.model_config import ModelConfig
from hosting.domain.run_config import RunConfig
from hosting.domain.scope import BranchScope
from hosting.ports.tools import Tool, ToolContext
from middleware.client_tools.visible import VisibleTool

T = TypeVar("T")
A = TypeVar("A", bound=Response)


class Reply(Protocol):
    """The assistant's message that one model call writes."""

    async def text(self, piece: str) -> None:
        """Add a piece of text; returns when there is room for more, not when the piece is stored.

        Raises:
            TypeError: it is no str.
            UnicodeEncodeError: it holds an unpaired surrogate.
        """
        ...

    async def reason(self, piece: str) -> None:
        """Add a piece of reasoning, before any text; raises as `text` does."""
        ...

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        call_type: CallType = CallType.FUNCTION,
        harness: str | None = None,
    ) -> str:
        """Call a tool, of a harness perhaps, with arguments that JSON must be able to hold, and return the call's id.

        The call is made by `RunContext.call_tools`, once the message has ended.
        """
        ...

    def spend(self, usage: Usage) -> None:
        """Add to what the turn has cost, which MESSAGE_TURN_FINISHED tells."""
        ...

    def attach(self, value: Any) -> None:
        """Keep something that JSON can hold with the message: `model_call` returns it as the message's attachment."""
        ...


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What one call came to."""

    call_id: str
    name: str
    result: ToolResult

    @property
    def text(self) -> str:
        """The result as text."""
        return self.result.text or ""


class RunContext(ToolContext, Protocol):
    """What a run gives its agent."""

    @property
    def run_id(self) -> RunId:
        """The run."""
        ...

    @property
    def agent_id(self) -> AgentId:
        """The agent, by the name it was called."""
        ...

    @property
    def scope(self) -> BranchScope:
        """The branch that the run holds."""
        ...

    @property
    def input(self) -> Sequence[Message]:
        """The messages that started the run; the last one is the user's."""
        ...

    @property
    def config(self) -> RunConfig:
        """How the input wants the run to be done; an agent inside of another has no `model` in it."""
        ...

    @property
    def text(self) -> str:
        """What the user said: the text of the last message of the input."""
        ...

    async def history(self) -> list[Message]:
        """Return the conversation so far, as compactions have left it, this run's input last."""
        ...

    async def compact(
        self,
        *,
        keep_messages: int | None = None,
        strategy: CompactionStrategy | None = None,
        retention: Retention | None = None,
    ) -> bool:
        """Compact what was said before this run's input, and say whether anything gave way.

        What is left out is as the agent's policy has it. Done once; a run that begins again after a crash is given the
        compacted history from its first line, so compact before you look at it. Inside of another agent nothing is
        done.

        Raises:
            RunDiverged: begun again, the run did something else in this place.
        """
        ...

    async def route(self, candidates: Sequence[str], work_type: str | None = None) -> str:
        """Return the one of the candidates that is to do the run's work, chosen by what they have brought before.

        `candidates` are names that stay the same from run to run: of models, of ways to go about it, of anything. The
        first is the one to take when nobody chooses: the selector is off, or the run is at a worker. `work_type` is
        what they are compared for; without, it is the agent's id. All of these have 1 to 200 characters.
        Done once, as `model_call` is. How the run ends is learnt with its end: that it completed, the less the longer
        it took and the more it cost, or that it failed; of one that was cancelled nothing. Inside of another agent it
        is the end of the nested work that is learnt, and nothing when the run ends before that.

        Raises:
            TypeError, ValueError: these are no names, or there is none.
            RunDiverged: begun again, the run did something else in this place, or has not that candidate any more.
        """
        ...

    async def say(self, text: str | AsyncIterable[str]) -> Message:
        """Write one message of the assistant's, whole or piece by piece, and return it once it is stored.

        It is a model call as `model_call` makes them, and done once as those are.

        Raises:
            TypeError: it is no text, or a piece is none.
            UnicodeEncodeError: it holds an unpaired surrogate.
            RunDiverged: when the run began again, it did something else in this place than before.
        """
        ...

    async def call(self, tool: Tool | str, /, **arguments: Any) -> Any:
        """Call a tool, or one of the client's by its name, and return its value as JSON gives it back.

        The call is a message's, as `call_tools` makes them: gated, told, and made once.
        Pieces of content are a list of objects.
        Calls that are to be made side by side are written into one message with `model_call`.

        Raises:
            CallDenied: it was not allowed.
            CallFailed: the tool failed, took too long, does not take these arguments, or does not exist.
            RuntimeError: another one is under way.
            RunLost: the run was cut off inside of the call, which must not be made twice.
            RunDiverged: when the run began again, it did something else in this place than before.
        """
        ...

    async def model_call(
        self, write: Callable[[Reply], Awaitable[None]], *, name: str = "model", arguments: Any = None
    ) -> Message:
        """Let `write` produce an assistant's message, and return it once it is stored.

        Done once: when the run begins again after a crash, a call that had ended returns the same message unasked.
        A call that was cut by the crash is made anew, in a new message.
        `arguments` is anything that JSON can hold; together with `name` it is how the call is recognised.

        Raises:
            RunDiverged: when the run began again, it did something else in this place than before.
        """
        ...

    async def take_back(self, message: Message, told: ModelCallRetry) -> None:
        """Let the last message, which calls nothing, be no part of the conversation: the next is in its place.

        `told` says so to the readers. Done once, as `model_call` is.

        Raises:
            RunDiverged: when the run began again, it did something else in this place than before.
        """
        ...

    async def call_tools(
        self, message: Message, tools: Sequence[Tool] = (), *, told: Callable[[ToolOutcome], None] | None = None
    ) -> list[ToolOutcome]:
        """Make the calls of a message side by side, and return what they came to, in the order of the calls.

        `told` hears of each as soon as it is stored.
        Tools are found among these and the client's own. One that needs permission is asked for first; what is denied,
        fails or does not exist has a result that says so. Each call is made once, see Tool.

        Raises:
            RunLost: the run was cut off inside of a call that must not be made twice.
            ValueError: the calls were made before, or given up: another model call goes on without them.
        """
        ...

    async def client_tools(self) -> Sequence[VisibleTool]:
        """Return the tools that the client offers now, for a model to know of."""
        ...

    async def client_instructions(self) -> Sequence[str]:
        """Return what the client wants a model to be told with the tools that it offers now."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What an agent allows itself: model calls without asking, and how long its questions wait.

    After `iterations` the user is asked, and allows `extension` more if the answer does not say how many.
    `model_retries` says how often a model call is made again that failed with an AgentError which is retryable.
    A deadline of None is none. A run's own runConfig says more about deadlines.
    `model_first_timeout`, `model_idle_timeout` and `model_call_timeout` are what an answer of a model may take until it
    begins, between two pieces of it, and in all; None is as the server's settings have it.
    `tool_failures` of tool calls in a row end the run, and with `detailed_errors` the model and the client are told
    the text of a tool's exception, which may hold paths and addresses.
    """

    iterations: int | None = None
    extension: int = 3
    model_retries: int = 0
    permission_timeout: timedelta | None = timedelta(hours=24)
    continuation_timeout: timedelta | None = timedelta(hours=24)
    clarification_timeout: timedelta | None = timedelta(hours=24)
    client_tool_timeout: timedelta | None = timedelta(seconds=30)
    run_timeout: timedelta | None = None
    model_first_timeout: timedelta | None = None
    model_idle_timeout: timedelta | None = None
    model_call_timeout: timedelta | None = None
    tool_failures: int = 10
    detailed_errors: bool = False


NO_LIMITS = Limits()
MODEL_LIMITS = Limits(iterations=50, model_retries=3)
"""Those of an agent with a model that says nothing of it: one that goes round in circles must not do so for ever."""


@runtime_checkable
class Limited(Protocol):
    """An agent that has limits of its own."""

    limits: Limits


@runtime_checkable
class OfProject(Protocol):
    """An agent that is of a project of its tenant, or of none: its runs have that project's credentials."""

    project_name: str | None


@runtime_checkable
class Configurable(Protocol):
    """An agent with a model that a run may configure; the others have those members of `runConfig` refused."""

    async def check_config(self, config: ModelConfig, credentials: Collection[str]) -> None:
        """Make sure, before an input is accepted, that its run can be done so; it can have these credentials, by name.

        Raises:
            RunConfigRefused: a member is not honoured; the sentence names it.
            InvalidInput: what a member says cannot be.
        """
        ...


class Agent(Protocol):
    """What answers under an agent id."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def run(self, context: RunContext) -> None:
        """Answer one input; whatever it raises ends the run as failed."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose keys an agent's models are asked with, beside the credentials that their definition names.

    Its tenant's; and with `of_server` those of the server's own environment, where the tenant has none.
    `known` are the names of the credentials that its runs can have now; None when nobody has looked.
    """

    of_server: bool = False
    known: frozenset[str] | None = None


NO_KEYS: Final = Keys()


class AgentBuilder(Protocol):
    """Makes agents from what is said about them."""

    def build(self, agent_id: AgentId, config: AgentConfig, limits: Limits, keys: Keys) -> Agent:
        """Return an agent that has these limits; may take a second, and is called on a thread of its own.

        `config.name` is given, and how far the config may reach has been looked at.

        Raises:
            ConfigRefused: there can be no such agent; the pointer begins at the config, as `/clients/chat/modelName`.
        """
        ...
