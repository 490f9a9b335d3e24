"""Agents of pydantic-ai with deps and limits: what `model_agent` says of them, and what is told at the start."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_ai import Agent

import hosting
from hosting.domain.errors import AgentRefused
from tests.harness.client import Client
from tests.harness.process import ServerProcess

HOSTED = Path(__file__).with_name("hosted_agents.py")
NEEDS_DEPS = """
from pydantic_ai import Agent

class Ledger: ...

clerk = Agent("test", deps_type=Ledger)
"""


async def test_agents_have_the_deps_and_limits_that_are_said_of_them_and_are_found_once(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, str(HOSTED)).start()

    said = {agent: await _said(server.url, agent) for agent in ("support", "other")}
    limits = {agent: await _limit(server.url, agent) for agent in ("bounded", "circling")}
    async with Client(server.url) as client:
        listed = {agent["id"]: agent["name"] for agent in (await client.http.get("/agents")).json()}

    assert said == {"support": "deps of Go", "other": "other deps"}
    assert limits == {"bounded": 2, "circling": 50}
    expected = {"support": "support", "other": "The other", "bounded": "bounded", "circling": "circling"}
    assert listed == {"demo": listed["demo"], **expected, "idle": "idle"}
    warnings = [line for line in server.errors.read_text().splitlines() if "has no model of its own" in line]
    assert [("idle" in line, "warning" in line) for line in warnings] == [(True, True)]


async def _said(url: str, agent: str) -> str:
    async with Client(url, agent) as client:
        session = await client.session()
        accepted = await client.accepted(session, "Go")
        run = await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)
    assert run["status"] == "completed", run
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")


async def _limit(url: str, agent: str) -> int:
    """Return after how many model calls an agent asks whether it may go on."""
    async with Client(url, agent) as client:
        session = await client.session()
        accepted = await client.accepted(session, "Go")
        async with client.feed(session, after=accepted["position"]) as feed:
            seen = [event.json for event in await feed.until(lambda event: event["type"] == "CONTINUATION_REQUEST")]
    return [event["type"] for event in seen].count("AGENT_TURN_STARTED")


def test_an_agent_that_needs_deps_is_refused_at_the_start_with_what_to_write(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "clerks.py").write_text(NEEDS_DEPS)

    status, said = make_server(sqlite_url, str(tmp_path / "clerks.py")).refuse()

    assert status == 1
    assert "The agent 'clerk' needs deps of the type Ledger: host it as hosting.model_agent(agent, deps=make)" in said
    assert "Traceback" not in said


def test_model_agent_refuses_what_it_cannot_host() -> None:
    nameless: Agent[None, str] = Agent("test", deps_type=type(None))
    needy: Agent[Path, str] = Agent("test", name="needy", deps_type=Path)

    with pytest.raises(TypeError, match="7 is no agent of pydantic-ai's"):
        hosting.model_agent(7)
    with pytest.raises(TypeError, match="must be a function that takes the run's context"):
        hosting.model_agent(needy, deps=Path())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"say its id, as in hosting\.model_agent\(agent, 'its-id'\)"):
        hosting.model_agent(nameless)
    with pytest.raises(ValueError, match="The agent id 'a/b' must be"):
        hosting.model_agent(nameless, "a/b")
    with pytest.raises(ValueError, match="holds a NUL"):
        hosting.model_agent(nameless, "plain", name="\0")
    with pytest.raises(AgentRefused, match="The agent 'needy' needs deps of the type Path"):
        hosting.model_agent(needy)
