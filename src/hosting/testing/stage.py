"""The real application inside of a test's process, with one branch on it to talk on."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from litestar import Litestar

from events import sse
from events.event import Event
from events.ids import MAIN_BRANCH, AgentId
from events.inputs import Input
from events.interactions import Response
from events.runs import BranchRunCompleted
from hosting.api.caller import Caller
from hosting.bootstrap import server_of
from hosting.domain.branch import Branch
from hosting.runtime.follow import Follower
from hosting.runtime.respond import respond
from hosting.runtime.sessions import create_session
from hosting.runtime.submit import submit_input


class Stage:
    """A server, and after each `restart` another one on the same database; enter and leave it in one task."""

    def __init__(self, make_app: Callable[[], Litestar], agent_id: AgentId) -> None:
        self._make_app = make_app
        self._agent_id = agent_id
        self._stack = AsyncExitStack()
        self._caller: Caller | None = None
        self._branch: Branch | None = None

    async def __aenter__(self) -> Self:
        await self._start()
        session = await create_session(self._hands.runtime, self._hands.tenant, None, {})
        self._branch = await self._hands.branch(session.id, MAIN_BRANCH)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not told of the error: the framework would wrap it into a group.
        await self._stack.aclose()

    async def restart(self) -> None:
        """End the server, which gives its run back, and start the next one, which takes it up from its first line."""
        await self._stack.aclose()
        await self._start()

    async def submit(self, received: Input) -> int:
        """Submit an input, and return the place just before it."""
        submitted = await submit_input(self._hands.runtime, self._on, self._agent_id, received)
        return submitted.position.seq

    async def respond(self, response: Response) -> None:
        """Answer a question of the run."""
        await respond(self._hands.runtime, self._on, response)

    async def events(self, after: int) -> AsyncGenerator[Event, None]:
        """Yield the events behind a place up to the end of a run, through restarts; unknown ones are left out."""
        while True:
            framed, after = await self._read(after)
            for line in sse.each_data(framed):
                event = self._hands.runtime.serializer.decode(line)
                if event is not None:
                    yield event
                if isinstance(event, BranchRunCompleted):
                    return

    @property
    def _hands(self) -> Caller:
        if self._caller is None:
            raise RuntimeError("Enter the stage first.")
        return self._caller

    @property
    def _on(self) -> Branch:
        if self._branch is None:
            raise RuntimeError("Enter the stage first.")
        return self._branch

    async def _start(self) -> None:
        app = self._make_app()
        await self._stack.enter_async_context(app.lifespan())
        self._caller = server_of(app).caller()

    async def _read(self, after: int) -> tuple[bytes, int]:
        # A follower of its own each time: the one before may have been a follower of the server before.
        runtime = self._hands.runtime
        follower = Follower(runtime.rings, runtime.log, self._on.key, self._on.epoch)
        try:
            await follower.open()
            follower.cursor = after
            framed = await follower.next()
        finally:
            await follower.aclose()
        if isinstance(framed, bytes):
            return framed, follower.cursor
        raise RuntimeError("The server has ended before the run did.")
