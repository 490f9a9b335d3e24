"""What a worker of our own remembers of credentials, and what it makes of a server that says no."""

from collections.abc import AsyncGenerator

import pytest
from msgspec import Raw

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from hosting.adapters.remote.held import Held, HeldRuns
from hosting.adapters.remote.vault import RemoteVault
from hosting.domain.credential_errors import SealKeyMissing
from hosting.domain.errors import LeaseLost
from hosting.domain.remote_run import TakenRun
from hosting.domain.scope import NodeId, TenantId
from hosting.domain.secret import Secret
from hosting.domain.wire_errors import ServerAway, ServerRefused
from middleware.errors import CredentialUnusable

LONG = 1e12
TAKEN = TakenRun(
    claim=1,
    batch=0,
    run_id=RunId("run_1"),
    tenant=TenantId("t"),
    session_id=SessionId("ses_1"),
    branch_id=BranchId("main"),
    agent_id=AgentId("helper"),
    agent_name="Helper",
    message_id=MessageId("msg_1"),
    started_at=None,
    input=[],
    config=Raw(b"{}"),
    attempt=1,
    max_attempts=5,
    lease_seconds=60,
)


class Scripted:
    """A wire to a server that answers as it is told, once each, and then always the same."""

    worker_id = "wkr_1"

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.asked: list[str] = []

    async def register(self) -> None:
        """See Wire.register."""

    async def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """See Wire.call."""
        self.asked.append(f"{method} {path}")
        if self.faults:
            raise self.faults.pop(0)
        return b'{"env": {"KEY": "v%d"}, "refreshUntil": "2026-01-01T00:00:00Z"}' % len(self.asked)

    async def lines(self, path: str) -> AsyncGenerator[bytes]:
        """See Wire.lines."""
        yield b""


def taken(held: HeldRuns) -> Held:
    """Return a run that this worker has taken, once more perhaps."""
    return held.add("wse_1", TAKEN, NodeId("wkr_1"), LONG)


async def test_a_map_is_taken_once_as_long_as_it_is_good_and_forgotten_with_the_run() -> None:
    wire, runs = Scripted(), HeldRuns()
    vault, run = RemoteVault(wire, runs, "staging"), taken(runs).lease.run

    first = [await vault.credential(run, None, name) for name in ("KEY", "NONE", "KEY")]
    shown = repr(taken(runs)) + repr(runs.of_run(run.id).environment)
    again = await vault.credential(run, None, "KEY")
    runs.drop(run.id)

    assert first == [Secret("v1"), None, Secret("v1")]
    assert again == Secret("v2")
    assert wire.asked == ["GET /api/sessions/wse_1/credentials?worker=wkr_1&environment=staging"] * 2
    assert "v1" not in shown
    with pytest.raises(LeaseLost):
        await vault.credential(run, None, "KEY")


async def test_a_map_that_is_too_old_is_taken_anew() -> None:
    wire, runs = Scripted(), HeldRuns()
    vault, run = RemoteVault(wire, runs, "production", kept_seconds=0), taken(runs).lease.run

    assert [await vault.credential(run, None, "KEY") for _ in range(2)] == [Secret("v1"), Secret("v2")]


async def test_a_server_that_is_away_is_asked_again_and_one_that_says_no_is_believed() -> None:
    wire, runs = Scripted(ServerAway("gone"), ServerRefused(503, "no-sealing-key", "No key.")), HeldRuns()
    vault, run = RemoteVault(wire, runs, "production"), taken(runs).lease.run

    with pytest.raises(SealKeyMissing):
        await vault.credential(run, None, "KEY")
    wire.faults = [ServerRefused(503, "credential-unreadable", "Credential OTHER cannot be read.")]
    with pytest.raises(CredentialUnusable, match="Credential OTHER cannot be read"):
        await vault.credential(run, None, "KEY")
    wire.faults = [ServerRefused(409, "work-session-ended", "It has ended.")]
    with pytest.raises(LeaseLost):
        await vault.credential(run, None, "KEY")

    assert len(wire.asked) == 4
