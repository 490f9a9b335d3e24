"""A conversation with the toolbox."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.harness.client import Client
from tests.harness.process import ServerProcess

TOOLBOX: Final = str(Path(__file__).parent / "toolbox.py")


@dataclass
class Told:
    """What came of one input."""

    run: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """The words of the agent."""
        return "".join(event["text"] for event in self.of("TEXT_DELTA"))

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of the tools."""
        return [event["result"] for event in self.of("TOOL_CALL_RESULT")]

    def of(self, *types: str) -> list[dict[str, Any]]:
        """Return the events of these types."""
        return [event for event in self.events if event["type"] in types]


class Toolbox:
    """Speaks to the agent `toolbox` of a server, in one session."""

    def __init__(self, client: Client, session: str) -> None:
        self.client = client
        self.session = session

    async def does(self, *lines: str) -> Told:
        """Let the model do these, and wait until it has."""
        accepted = await self.client.accepted(self.session, "\n".join(lines))
        return await self.ended(accepted["runtimeRunId"])

    async def ended(self, run_id: str) -> Told:
        """Wait for a run."""
        run = await self.client.ended(self.session, run_id)
        log = await self.client.log(self.session)
        began = [event.get("runtimeRunId") for event in log].index(run_id)
        return Told(run, log[began:])

    async def answer(self, asked: dict[str, Any], *, approved: bool) -> None:
        """Answer a question for permission."""
        told = {"permissionId": asked["permissionId"], "sourceName": asked["sourceName"], "approved": approved}
        body = {"type": "PERMISSION_RESPONSE", **told}
        response = await self.client.http.post(f"{self.client.path(self.session)}/responses", json=body)
        assert response.status_code == 200, response.text


def make_toolbox(make: Callable[..., ServerProcess], url: str, **config: Sequence[dict[str, Any]]) -> ServerProcess:
    """Return a server, yet to be started, whose agent has the toolsets of a config."""
    server = make(url, TOOLBOX)
    write_toolsets(server, **config)
    return server


def write_toolsets(server: ServerProcess, **config: Sequence[dict[str, Any]]) -> None:
    """Say which toolsets the agent has when the server is started."""
    (server.folder / "toolsets.json").write_text(json.dumps(config))


def processes_of(server: ServerProcess) -> list[psutil.Process]:
    """Return the processes that a server has started."""
    return psutil.Process(server.pid).children(recursive=True)


def wait_until_gone(processes: Sequence[psutil.Process]) -> None:
    """Return when all of these have ended.

    Raises:
        AssertionError: one has not within seconds.
    """
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
