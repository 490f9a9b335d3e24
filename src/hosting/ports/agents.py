"""The door that agents come through; user code and Branchline's own agents use the same one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from events.event import Event
from events.ids import AgentId, RunId
from hosting.domain.message import Message
from hosting.domain.scope import BranchScope

T = TypeVar("T")


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


class RunContext(Protocol):
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

    async def history(self) -> list[Message]:
        """Return the conversation so far, this run's input last."""
        ...

    async def emit(self, event: Event) -> None:
        """Put an event on the branch; returns when there is room for more, not when it is stored.

        Outside of a step it is emitted again when the run begins again after a crash.

        Raises:
            LeaseLost: another node runs this now; let it pass.
            StorageUnavailable: the store takes nothing now; let it pass, the run is taken up again.
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

    async def step(self, name: str, work: Callable[[], Awaitable[T]], *, arguments: Any = None) -> T:
        """Do something with an effect once, and return its result, which JSON must be able to hold.

        When the run begins again after a crash, work that had ended is not done again: its result is returned.
        Work that was cut by the crash is done again.

        Raises:
            RunDiverged: when the run began again, it did something else in this place than before.
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
