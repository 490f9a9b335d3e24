"""The two servers that store what they stream, addressed alike."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ServerProcess
from benchmarks.scenarios.database import empty_folder, sqlite_url
from benchmarks.wire import post


@dataclass(frozen=True, slots=True)
class Target:
    """One agent of the real server, or the bare one when there is no agent."""

    server: ServerProcess
    agent: str | None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def new_branch(self) -> str:
        """Make a branch with nothing on it, and return the path that everything about it starts with."""
        name = uuid.uuid4().hex
        if self.agent is not None:
            post(self.port, "/sessions", {"sessionId": name})
        return name

    def feed_path(self, branch: str) -> str:
        """Return where it is followed."""
        return f"/live/{branch}" if self.agent is None else f"{self._path(branch)}/events/live"

    def inputs_path(self, branch: str, kind: str = "inputs") -> str:
        """Return where its inputs go; the bare one takes each `kind` of them somewhere else."""
        return f"/{kind}/{branch}" if self.agent is None else f"{self._path(branch)}/inputs"

    def _path(self, branch: str) -> str:
        return f"/agents/{self.agent}/sessions/{branch}/branches/main"


@contextmanager
def durable_targets(folder: Path, *agents: str) -> Iterator[dict[str, Target]]:
    """Start both servers on empty databases; the real one appears once for each agent, the bare one as `bare`."""
    with ExitStack() as stack:
        made = stack.enter_context(empty_folder(folder))
        subject = stack.enter_context(ServerProcess("subject", sqlite_url(made)))
        bare = stack.enter_context(ServerProcess("durable", str(made / "bare.db")))
        yield {**{agent: Target(subject, agent) for agent in agents}, "bare": Target(bare, None)}
