"""Nobody is told which provider to take unless the switch is exactly `true`, and nothing is drawn when one is named."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from events.ids import AgentId, BranchId, RunId, SessionId
from hosting.adapters.files.key_file import ensure_key_file
from hosting.adapters.sql.database import Database
from hosting.domain.definition import AgentConfig, ChatClientConfig, ClientsConfig, Runtime
from hosting.domain.routing import ChosenBy
from hosting.domain.scope import LOCAL_TENANT, BranchKey, BranchScope
from hosting.domain.work_item import WorkItem, WorkItemId, WorkState, WorkTerms
from hosting.ports.routing import Dispatch
from hosting.runtime.agents import Registered, Source
from hosting.services.routing.select import select_provider
from hosting.settings import load_settings
from tests.fleet.gate import Gate
from tests.harness.process import ServerProcess
from tests.routing.claimed import WORK, Claimed, Claims
from tests.routing.observed import NOW
from tests.routing.routers import router_with

VARIABLES = ("ROUTING_SELECTOR_ENABLED", "BRANCHLINE_ROUTING_SELECTOR_ENABLED")
NAMED = AgentConfig(
    runtime=Runtime.WORKER, clients=ClientsConfig(chat=ChatClientConfig(provider_key="openai", model_name="gpt-5"))
)
UNNAMED = AgentConfig(runtime=Runtime.WORKER)
ITEM = WorkItem(
    id=WorkItemId("wse_1"),
    run_id=RunId("run_1"),
    branch_key=BranchKey(1),
    scope=BranchScope(LOCAL_TENANT, SessionId("s1"), BranchId("main")),
    agent_id=AgentId("helper"),
    agent_name="helper",
    terms=WorkTerms(),
    state=WorkState.RUNNING,
    queued_at=NOW,
    updated_at=NOW,
)


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("text", ["TRUE", "True", "1", "yes", "on", "", " true", "true ", "enabled", "false"])
def test_nothing_but_true_switches_it_on(tmp_path: Path, variable: str, text: str) -> None:
    assert load_settings({variable: "true"}, tmp_path).routing_selector_enabled is True
    assert load_settings({variable: text}, tmp_path).routing_selector_enabled is False


@pytest.mark.parametrize(
    ("written", "is_on"), [("true", True), ('"true"', True), ("1", False), ('"TRUE"', False), ("false", False)]
)
def test_in_the_file_it_is_the_same(tmp_path: Path, written: str, is_on: bool) -> None:
    (tmp_path / "branchline.toml").write_text(f"routing_selector_enabled = {written}")

    assert load_settings({}, tmp_path).routing_selector_enabled is is_on


def test_it_is_off_when_nobody_says_anything_and_our_own_variable_has_the_last_word(tmp_path: Path) -> None:
    both = dict(zip(VARIABLES, ("true", "TRUE"), strict=True))

    assert load_settings({}, tmp_path).routing_selector_enabled is False
    assert load_settings(both, tmp_path).routing_selector_enabled is False
    assert load_settings(dict(zip(VARIABLES, ("1", "true"), strict=True)), tmp_path).routing_selector_enabled is True


@pytest.fixture(params=["TRUE", "1", None])
async def in_the_dark(
    request: pytest.FixtureRequest, make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> AsyncIterator[Claimed]:
    """A session at a server whose switch is off, whatever it may look like."""
    ensure_key_file(tmp_path / "keys")
    switch = {} if request.param is None else {"routing_selector_enabled": request.param}
    gate = Gate(make_server(sqlite_url, key_file=tmp_path / "keys", **switch).start(), tmp_path / "keys")
    async with AsyncExitStack() as stack:
        yield await Claims(gate, await stack.enter_async_context(gate.client()), stack)()


async def test_in_the_dark_nobody_is_chosen_and_everything_is_learnt(in_the_dark: Claimed) -> None:
    chosen = await in_the_dark.select("claude", "codex")
    told = await in_the_dark.observe("claude", 1.0)
    metrics = await in_the_dark.metrics()

    assert chosen == {"selectedProvider": None, "source": "disabled"}
    assert told == {"recorded": True}
    assert metrics["summary"]["routingEnabled"] is False
    assert metrics["posteriors"][0]["alpha"] == 2.0


@pytest.mark.parametrize(
    ("config", "defined", "filed", "source"),
    [
        (b'{"providerKey": "openai", "modelId": "gpt-5"}', None, None, ChosenBy.EXPLICIT),
        (b'{"providerKey": "openai", "modelId": "gpt-5"}', UNNAMED, None, ChosenBy.EXPLICIT),
        (b"{}", NAMED, UNNAMED, ChosenBy.EXPLICIT),
        (b"{}", None, NAMED, ChosenBy.EXPLICIT),
        (b"{}", UNNAMED, NAMED, ChosenBy.SAMPLED),
        (b"{}", None, UNNAMED, ChosenBy.SAMPLED),
        (b"{}", None, None, ChosenBy.SAMPLED),
        (b'{"runTimeout": "PT5M"}', None, None, ChosenBy.SAMPLED),
    ],
)
async def test_where_a_provider_is_named_nothing_is_drawn(
    database: Database, config: bytes, defined: AgentConfig | None, filed: AgentConfig | None, source: ChosenBy
) -> None:
    registered = {} if filed is None else {ITEM.agent_id: Registered("a", None, Source.FILE, filed.terms)}
    asked = router_with(database, registered=registered)
    before = asked.sampler.chance.getstate()

    selected = await select_provider(asked, Dispatch(ITEM, config, defined), WORK, ["claude", "codex"])

    assert selected.source is source
    assert (selected.decision is None) == (source is ChosenBy.EXPLICIT)
    assert (asked.sampler.chance.getstate() == before) == (source is ChosenBy.EXPLICIT)
